-- Third of each stock by its median dollar volume over the 91 days up to $cutoff: 1 is the
-- least liquid. Stocks without prices are left out.
select ticker, ntile(3) over (order by dollars, ticker) as third
from (
    select ticker, median(close * volume) as dollars
    from prices
    where ticker in (select unnest($tickers::varchar[]))
        and date > $cutoff::date - 91
        and date <= $cutoff::date
    group by ticker
)
where dollars is not null
