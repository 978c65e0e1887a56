-- The input's rows, and the reason why a row cannot be taken. Infinity stands for an infinite
-- value, minus infinity for one beyond the range of FLOAT: neither is stored.
create or replace temp view judged as
select
    key_ticker as ticker,
    key_date as date,
    moment,
    batch,
    {cells},
    {flags},
    case
        when key_date is null and written is not null and {all_missing}
            then 'lines are no rows, such as a footer'
        when {key_rules}
    end as reason,
    {shown} as shown
from (select * rename (ticker as key_ticker, date as key_date) from source)
