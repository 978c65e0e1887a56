-- Of each file of a batch: rows, different rows and keys, where rows outnumber keys; the worst.
select
    any_value(ticker) as ticker,
    count(*) as n,
    count(distinct (ticker, date, {row})) as n_different,
    count(distinct (ticker, date)) as n_keys
from ({rows})
where date is not null
group by file_path
having count(*) > count(distinct (ticker, date))
order by n - n_keys desc
limit 1
