-- The fifty highest mean forecasts on the newest date, with their risk.
select ticker, date, mean, sd, q05, q95, p_up, mean / sd as signal_to_noise
from v_predictions
where date = (select max(date) from v_predictions)
order by mean desc
limit 50;
