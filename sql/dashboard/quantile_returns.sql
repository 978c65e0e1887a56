-- Sum of what came, by fifth of each day's forecasts.
select
    date, 'fifth ' || fifth as fifth,
    sum(actual) over (partition by fifth order by date) as total
from v_quantile_returns
where target = $target
