-- The input's rows with unusable cells blanked, and the reason why a row cannot be taken. What
-- lies beyond 1e30 or below 1e-30 is no price, and its ratios could not be computed with.
create or replace temp view judged as
select
    place,
    case when open between 1e-30 and 1e30 then open end as open,
    case when high between 1e-30 and 1e30 and not is_upside_down then high end as high,
    case when low between 1e-30 and 1e30 and not is_upside_down then low end as low,
    close,
    case when volume between 0 and 1e30 then volume end as volume,
    adj_close,
    case
        when date is null and close is null and {written} is not null
            then 'lines are no rows, such as a footer'
        when {key_rules}
        when close is null then 'close is missing'
        when not isfinite(close) or not coalesce(isfinite(adj_close), true)
            then 'close or adjusted close is infinite'
        when close <= 0 or adj_close <= 0 then 'close or adjusted close is not positive'
        when not close between 1e-30 and 1e30 or not coalesce(adj_close between 1e-30 and 1e30, true)
            then 'close is too large or too small'
    end as reason,
    {shown} as shown,
    coalesce(not open between 1e-30 and 1e30, false) as bad_open,
    coalesce(not high between 1e-30 and 1e30, false) or is_upside_down as bad_high,
    coalesce(not low between 1e-30 and 1e30, false) or is_upside_down as bad_low,
    coalesce(not volume between 0 and 1e30, false) as bad_volume
from (
    select
        *, rowid as place,
        -- Which of the two is wrong, nobody knows.
        coalesce(high < low and high >= 1e-30 and low <= 1e30, false) as is_upside_down
    from source
)
