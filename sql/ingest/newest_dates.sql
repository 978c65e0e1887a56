-- The first of the $days newest dates of `fresh`; NULL where it has no rows.
select min(date)
from (select distinct date from fresh order by date desc limit $days)
