-- Suspicious one-day moves. |log return| > 1 is often a split that the prices do not reflect; so is
-- a move by the ratio of a split while the volume moves the other way.
with days as (
    select
        prices.ticker,
        prices.date,
        spans.first_date,
        coalesce(adj_close, close) as price,
        lag(coalesce(adj_close, close)) over history as price_before,
        volume,
        lag(volume) over history as volume_before
    from current_prices as prices
    inner join spans on spans.ticker = prices.ticker and prices.date >= spans.read_from
    window history as (partition by prices.ticker order by prices.date)
),

moves as (
    select
        ticker, date,
        ln(price / price_before) as move,
        ln(nullif(volume, 0) / nullif(volume_before, 0)) as volume_move
    from days
    -- no split is smaller than 3:2
    where not price / price_before between 0.69 and 1.45 and date >= first_date
),

split as (
    select
        *,
        -- By up to a twentieth the stock moves besides, and by a factor of three what is traded: of
        -- a crash far more is.
        case when sign(move) = -sign(volume_move) and abs(volume_move + move) < 1.1 then
            sign(move) * list_min(
                list_filter($ratios::double[], lambda ratio: abs(abs(move) - ln(ratio)) < 0.05)
            )
        end as ratio
    from moves
)

select
    ticker,
    count(*) filter (abs(move) > 1) as n,
    max(abs(move)) filter (abs(move) > 1) as largest,
    arg_min(date, date) filter (ratio is not null) as split_date,
    arg_min(ratio, date) filter (ratio is not null) as split_ratio,
    count(ratio) as n_splits
from split
where abs(move) > 1 or ratio is not null
group by ticker
order by ticker
