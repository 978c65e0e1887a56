-- How live forecasts of a target did day by day, oldest first.
select date, stocks, ic, squared_error, zero_squared_error, coverage_80
from v_live_days
where target = $target
order by date
