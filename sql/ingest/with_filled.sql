-- The input's rows with these adjusted closes.
select incoming.* replace (coalesce(incoming.adj_close, filled.adj_close) as adj_close)
from incoming
left join filled on filled.ticker = incoming.ticker and filled.date = incoming.date
order by incoming.ticker, incoming.date
