-- The newest date with features up to $cutoff (NULL: of all).
select max(date)
from features
where $cutoff::date is null or date <= $cutoff::date
