-- Forecasts by some entries, of dates since $since. {which}: which entries.
select entry_id, date, mean, sd, q05, q25, q50, q75, q95, p_up
from predictions
where date >= $since and {which}
