-- Rank correlation and coverage of a forecaster, day by day, and means of 20 days.
select
    date, ic,
    avg(ic) over newest as ic_20,
    avg(coverage_50) over newest as coverage_50_20,
    avg(coverage_80) over newest as coverage_80_20,
    avg(coverage_90) over newest as coverage_90_20
from backtest_days
where backtest_id = $backtest_id and forecaster = $forecaster
window newest as (order by date rows 19 preceding)
