-- Dates that have forecasts, newest first.
select distinct date from v_predictions where target = $target order by date desc limit 400
