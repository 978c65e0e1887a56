-- Dates up to $until (NULL: all) that have at least half of the stocks of each of the $recent
-- dates before, from the newest one at or before $since (NULL: all) on; and their number of stocks.
with days as (
    select date, count(*) as n
    from features
    where $until::date is null or date <= $until::date
    group by date
),

full_days as (
    select date, n
    from days
    qualify 2 * n >= max(n) over (order by date rows $recent preceding)
)

select date, n
from full_days
where
    $since::date is null
    or date >= coalesce(
        (select max(date) from full_days where date <= $since::date), $since::date
    )
order by date
