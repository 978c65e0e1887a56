-- Stocks that have a row of features whose prices are lost, where features come from prices.
select distinct features.ticker
from features
where
    exists (select 1 from prices)
    and not exists (
        select 1 from prices
        where prices.ticker = features.ticker and prices.date = features.date
    )
order by all
