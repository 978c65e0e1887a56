-- The newest 250 forecasts of a stock whose label has come; what came is in one of two columns.
select
    date, mean, q05, q95,
    case when actual between q05 and q95 then actual end as inside,
    case when not actual between q05 and q95 then actual end as outside
from v_outcomes
where target = $target and ticker = $ticker
order by date desc
limit 250
