-- Suspicious one-day moves. |log return| > 1 is often a split that the prices do not reflect; so is
-- a move by the ratio of a split while the volume moves the other way.
with moves as (
    select
        prices.ticker, prices.date, spans.first_date,
        ln(coalesce(adj_close, close) / lag(coalesce(adj_close, close)) over history) as move,
        ln(nullif(volume, 0) / nullif(lag(volume) over history, 0)) as volume_move
    from current_prices as prices
    inner join spans on spans.ticker = prices.ticker and prices.date >= spans.read_from
    window history as (partition by prices.ticker order by prices.date)
)

select
    ticker,
    count(*) filter (abs(move) > 1) as n,
    max(abs(move)) as largest,
    first(date order by date) filter (ratio is not null) as split_date,
    first(ratio order by date) filter (ratio is not null) as split_ratio,
    count(ratio) as n_splits
from (
    select
        *,
        -- Three in a thousand off the ratio, plus what a day moves a stock besides.
        case when sign(move) = -sign(volume_move) and abs(volume_move) > 0.4 * abs(move) then
            (select any_value(ratio) from (select unnest($ratios::double[]) as ratio)
             where abs(abs(move) - ln(ratio)) < 0.02)
            * sign(move)
        end as ratio
    from moves
    where abs(move) > 0.38 and date >= first_date
)
where abs(move) > 1 or ratio is not null
group by ticker
order by ticker
