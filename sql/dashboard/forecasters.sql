-- Forecasters of a backtest.
select distinct forecaster from backtest_scores where backtest_id = $backtest_id order by forecaster
