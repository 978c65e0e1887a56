-- Calendar days from one row of a stock to the next: the median over the stocks of a target.
select median((last_date - first_date) / (n_rows - 1))
from series
where target = $target and n_rows > 1
