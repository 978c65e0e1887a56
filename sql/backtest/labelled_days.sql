-- Days with labels known by $as_of (NULL: all), oldest first.
select distinct date
from targets
where target = $target and ($as_of::date is null or label_end <= $as_of::date)
order by date
