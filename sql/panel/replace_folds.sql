-- Put the registered rows new_folds in place of their stocks' folds, except those that
-- the registered rows attempted list as kept.
delete from folds
using attempted
where folds.ticker = attempted.ticker
    and folds.target = attempted.target
    and not list_contains(attempted.kept, folds.fold);

insert into folds by name
select
    * replace (list_transform(dates, day -> date '1970-01-01' + day::integer) as dates)
from new_folds;
