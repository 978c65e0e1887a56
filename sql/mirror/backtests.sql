-- Backtests that a mirror has.
select backtest_id as id from backtests
