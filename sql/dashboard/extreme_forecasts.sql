-- Ten stocks at one end of the newest date's forecasts. {direction}: which end.
select ticker, mean
from v_newest_forecasts
where target = $target and days_behind = 0
order by mean {direction}, ticker
limit 10
