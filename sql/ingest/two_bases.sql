-- Stocks whose repeated days have prices that lie apart by one factor, and that factor: the input
-- holds them on two bases, as from before and after a split.
select ticker, avg(factor) as factor
from (
    select
        ticker, date,
        least(
            min(close) / max(close), coalesce(min(adj_close) / max(adj_close), 1)
        ) as factor
    from incoming
    semi join (from repeated where disagree) as unlike using (ticker, date)
    group by ticker, date
)
group by ticker
having count(*) >= 3 and avg(factor) < 0.999 and stddev_pop(factor) < 0.1 * (1 - avg(factor))
order by ticker
