-- Of each batch of the input (and file, where files name tickers), rows and different rows, and
-- keys, where rows outnumber keys; the worst first.
select {file} as file, count(*) as n, count(distinct (ticker, date, {row})) as n_different,
    count(distinct (ticker, date)) as n_keys
from ({rows})
where date is not null
group by all
having count(*) > count(distinct (ticker, date))
order by n - n_keys desc
limit 1
