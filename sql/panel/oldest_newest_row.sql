-- Of the newest rows up to $until (NULL: of all) of some stocks, the oldest one's date.
select min(date)
from (
    select max(date) as date
    from features
    where
        ticker in (select unnest($tickers::varchar[]))
        and ($until::date is null or date <= $until::date)
    group by ticker
)
