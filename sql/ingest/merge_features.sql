-- The rows of `fresh` with the values that their other columns have in the store.
create or replace temp table merged as
select fresh.*, {kept_columns}
from fresh
left join main.features on features.ticker = fresh.ticker and features.date = fresh.date;

create or replace temp view fresh as
select * from merged
