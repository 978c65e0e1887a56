-- Stored rows of stocks that had no adjusted closes, and now get some: the share of the close that
-- the nearest row of the input has, before or after.
insert into changed by name
select * exclude (share) replace (close * share as adj_close)
from (
    select
        prices.ticker, prices.date, prices.open, prices.high, prices.low, prices.close,
        prices.volume, prices.adj_close, true as is_revision,
        case
            when prices.date < basis.first_date
                then (select arg_min(adj_close / close, date) from incoming where incoming.ticker = prices.ticker)
            else (select arg_max(adj_close / close, date) from incoming where incoming.ticker = prices.ticker and incoming.date <= prices.date)
        end as share
    from main.prices
    inner join basis on basis.ticker = prices.ticker
    anti join incoming on incoming.ticker = prices.ticker and incoming.date = prices.date
    -- what is rescaled already has its adjusted close from there
    anti join changed on changed.ticker = prices.ticker and changed.date = prices.date
    where basis.stored_adjusted = 0 and basis.given_adjusted > 0
)
where abs(share - 1) > 1e-6
