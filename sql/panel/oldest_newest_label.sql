-- Of the newest labels of some stocks that were known on $as_of (NULL: now), the date of the row
-- that is the oldest.
select min(date)
from (
    select max(date) as date
    from targets
    where
        target = $target
        and ticker in (select unnest($tickers::varchar[]))
        and ($as_of::date is null or label_end <= $as_of::date)
    group by ticker
)
