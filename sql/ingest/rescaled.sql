-- Stored rows before the first day that the input restates, on its basis.
insert into changed by name
select
    prices.ticker,
    prices.date,
    prices.open * close_factor as open,
    prices.high * close_factor as high,
    prices.low * close_factor as low,
    prices.close * close_factor as close,
    prices.volume * volume_factor as volume,
    case
        when prices.adj_close is not null then prices.adj_close * factor
        when factor <> close_factor then prices.close * factor
    end as adj_close,
    true as is_revision
from main.prices
inner join restated on restated.ticker = prices.ticker
where not is_behind
    and prices.date < (select min(date) from overlap where overlap.ticker = prices.ticker)
    and not exists (
        from incoming where incoming.ticker = prices.ticker and incoming.date = prices.date
    )
