-- Stocks by their mean forecast, in up to 20 steps of equal width.
with means as (
    select mean from v_predictions where target = $target and date = $day
),

ends as (
    select min(mean) as low, greatest(max(mean) - min(mean), 1e-12) as width from means
)

select
    printf('%.4f', low + width * (step + 0.5) / 20) as mean,
    count(*) as stocks
from (
    select low, width, least(19, floor((mean - low) / width * 20)) as step
    from means
    cross join ends
) as steps
group by low, width, step
order by step
