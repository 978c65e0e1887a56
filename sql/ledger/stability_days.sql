-- How far features were from their training window, on the $days newest days that were measured.
select date, feature, stability
from feature_days
where date in (select date from feature_days group by date order by date desc limit $days)
order by date, feature
