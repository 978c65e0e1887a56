-- Closing prices of a stock, adjusted where that is known.
select date, coalesce(adj_close, close) as price
from v_prices
where ticker = $ticker
order by date
