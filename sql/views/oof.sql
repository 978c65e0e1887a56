-- One row an out-of-fold prediction: by a member that did not see the row's fold.
create or replace view oof as
select
    entry_id, ticker, dates[(place - 1) // len(members) + 1] as date,
    members[(place - 1) % len(members) + 1] as member, fold, prediction, target
from (
    select
        *, unnest(predictions) as prediction, generate_subscripts(predictions, 1) as place
    from folds
);
