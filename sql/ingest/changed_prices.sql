-- The input's rows that are new, or differ from those in the store. A price or volume that the input
-- lacks stays as it is stored, where the close is the same: beside another close it may be wrong,
-- for a split may lie between.
create or replace temp table changed as
with kept as (
    select
        incoming.ticker, incoming.date, incoming.close, incoming.adj_close,
        abs(prices.close - incoming.close) <= 1e-6 * prices.close as is_same_close,
        coalesce(incoming.open, case when is_same_close then prices.open end) as open,
        coalesce(incoming.high, case when is_same_close then prices.high end) as high,
        coalesce(incoming.low, case when is_same_close then prices.low end) as low,
        coalesce(incoming.volume, case when is_same_close then prices.volume end) as volume,
        row(
            prices.open, prices.high, prices.low, prices.close, prices.volume, prices.adj_close
        ) as stored,
        prices.ticker is not null as is_revision
    from incoming
    left join main.prices on prices.ticker = incoming.ticker and prices.date = incoming.date
)

select ticker, date, open, high, low, close, volume, adj_close, is_revision
from kept
where not is_revision
    or row(open, high, low, close, volume, adj_close) is distinct from stored
