-- The input's rows with unusable cells blanked, and the reason why a row cannot be taken.
create or replace temp view judged as
select
    ticker,
    date,
    case when open > 0 and isfinite(open) then try_cast(open as real) end as open,
    case when high > 0 and isfinite(high) then try_cast(high as real) end as high,
    case when low > 0 and isfinite(low) then try_cast(low as real) end as low,
    try_cast(close as real) as close,
    case when volume >= 0 and isfinite(volume) then volume end as volume,
    try_cast(adj_close as real) as adj_close,
    case
        when key_reason is not null then key_reason
        when close is null then 'close is missing'
        when not isfinite(close) or not coalesce(isfinite(adj_close), true)
            then 'close or adjusted close is infinite'
        when close <= 0 or adj_close <= 0 then 'close or adjusted close is not positive'
        when try_cast(close as real) is null or try_cast(close as real) = 0
            then 'close is too large or too small'
    end as reason,
    shown,
    open is not null and not (open > 0 and isfinite(open)) as bad_open,
    high is not null and not (high > 0 and isfinite(high)) as bad_high,
    low is not null and not (low > 0 and isfinite(low)) as bad_low,
    volume is not null and not (volume >= 0 and isfinite(volume)) as bad_volume
from typed
