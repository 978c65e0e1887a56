-- Take away the prices that are to be replaced.
delete from prices
using changed_prices as changed
where changed.ticker = prices.ticker
