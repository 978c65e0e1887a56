-- One backtest.
select * exclude (config) from v_backtests where backtest_id = $backtest_id
