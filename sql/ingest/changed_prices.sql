-- The input's rows that are new, or differ from those in the store.
create or replace temp table changed as
select
    incoming.ticker, incoming.date, incoming.open, incoming.high, incoming.low, incoming.close,
    incoming.volume, incoming.adj_close, prices.ticker is not null as is_revision
from incoming
left join main.prices on prices.ticker = incoming.ticker and prices.date = incoming.date
where prices.ticker is null
    or row(
        incoming.open, incoming.high, incoming.low, incoming.close,
        incoming.volume, incoming.adj_close
    ) is distinct from row(
        prices.open, prices.high, prices.low, prices.close, prices.volume, prices.adj_close
    )
