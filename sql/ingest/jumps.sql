-- Suspicious one-day moves: |log return| > 1, often a split that the prices do not reflect.
select ticker, count(*) as n, max(abs(move)) as largest
from (
    select
        prices.ticker, prices.date, spans.first_date,
        ln(coalesce(adj_close, close) / lag(coalesce(adj_close, close)) over history) as move
    from current_prices as prices
    inner join spans on spans.ticker = prices.ticker and prices.date >= spans.read_from
    window history as (partition by prices.ticker order by prices.date)
)
where abs(move) > 1 and date >= first_date
group by ticker
order by ticker
