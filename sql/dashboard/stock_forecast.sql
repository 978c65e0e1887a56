-- A stock's newest forecast.
select * exclude (ticker, target) from v_newest_forecasts where target = $target and ticker = $ticker
