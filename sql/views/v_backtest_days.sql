-- One row per forecaster and day of each target's newest backtest: the day's rank correlation, and
-- means over its stocks of squared error, CRPS, what intervals hold, and the Brier score of p_up.
create or replace view v_backtest_days as
select
    newest.target, days.date, days.forecaster, days.n_stocks, days.ic, days.squared_error,
    days.crps, days.coverage_50, days.coverage_80, days.coverage_90, days.brier,
    newest.backtest_id
from backtest_days as days
inner join v_backtests as newest on newest.backtest_id = days.backtest_id
where newest.is_newest;
