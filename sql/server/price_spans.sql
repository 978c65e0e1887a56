-- Which prices of each stock are shown.
select ticker, count(*) as n, min(date) as first_date, max(date) as last_date
from v_prices
group by ticker
