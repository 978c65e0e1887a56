-- All stocks of a target.
select ticker, n_rows, first_date, last_date, digest, labelled_digest, history_since, updated_at
from series
where target = $target
order by ticker
