-- How the ensemble did day by day in the newest backtest of a target, oldest first.
select
    ours.date, ours.ic, ours.squared_error, zeros.squared_error as zero_squared_error,
    ours.coverage_80
from v_backtest_days as ours
inner join v_backtest_days as zeros
    on zeros.backtest_id = ours.backtest_id and zeros.date = ours.date
where ours.target = $target
    and ours.forecaster = 'ensemble'
    and zeros.forecaster = 'always_zero'
    and ours.coverage_80 is not null
order by ours.date
