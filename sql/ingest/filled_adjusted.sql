-- Adjusted closes where the input has none, but other rows of the stock, here or in the store,
-- do: by the share of the close that the nearest row before has, or after. A stored adjusted
-- close stays where the close does.
create or replace temp table filled as
with wanting as (
    select ticker from {wanting}
),

shares as (
    select ticker, date, adj_close / close as share
    from (
        select prices.ticker, prices.date, prices.close, prices.adj_close
        from main.prices
        inner join wanting on wanting.ticker = prices.ticker
        anti join (select ticker, date from incoming where adj_close is not null) as given
            on given.ticker = prices.ticker and given.date = prices.date
        union all
        select incoming.ticker, incoming.date, incoming.close, incoming.adj_close
        from incoming
        inner join wanting on wanting.ticker = incoming.ticker
    )
    where adj_close is not null
),

bare as (
    select incoming.ticker, incoming.date, incoming.close
    from incoming
    inner join wanting on wanting.ticker = incoming.ticker
    where incoming.adj_close is null
)

select
    bare.ticker,
    bare.date,
    coalesce(same.adj_close, bare.close * coalesce(before.share, after.share)) as adj_close,
    same.adj_close is null as is_scaled
from bare
asof left join shares as before on before.ticker = bare.ticker and bare.date >= before.date
asof left join shares as after on after.ticker = bare.ticker and bare.date <= after.date
left join main.prices as same
    on same.ticker = bare.ticker and same.date = bare.date and same.close = bare.close
