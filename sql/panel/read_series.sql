-- All stocks of a target.
select ticker, n_rows, first_date, last_date, digest
from series
where target = $target
order by ticker
