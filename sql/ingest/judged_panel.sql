-- The input's rows as FLOAT features and a target, and the reason why a row cannot be taken.
create or replace temp view judged as
select
    ticker,
    date,
    case when isfinite(y) then y end as y,
    {features},
    {infinite},
    key_reason as reason,
    shown
from typed
