-- The input with keys as text and date and cells as numbers, infinities still in; why a key
-- cannot be used, if so, and how to show it.
create or replace temp view typed as
select
    key_ticker as ticker,
    key_date as date,
    case {rules} end as key_reason,
    left(coalesce(key_ticker, '?'), 40)
    || case when key_date is null then ' on ' || coalesce({date_column}::varchar, 'no date') else '' end
        as shown,
    {cells}
-- Computed one level below, where a column `date` of the input still has that name.
from (select *, {ticker} as key_ticker, {date} as key_date from source)
