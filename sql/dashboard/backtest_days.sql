-- Rank correlation of a forecaster, day by day.
select date, ic, avg(ic) over (order by date rows 19 preceding) as ic_20
from backtest_days
where backtest_id = $backtest_id and forecaster = $forecaster
