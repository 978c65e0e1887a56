-- The input's rows as FLOAT features and a target, and the reason why a row cannot be taken.
create or replace temp view judged as
select
    ticker,
    date,
    case when isfinite(y) then y end as y,
    {features},
    {infinite},
    case when {bad_key} then {key_reason} end as reason,
    shown
from typed
