-- The prices that the touched stocks need.
select current_prices.*
from current_prices
inner join spans on spans.ticker = current_prices.ticker
where current_prices.date >= spans.read_from
