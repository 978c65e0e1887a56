-- Labels of a target of some stocks since a date, as panel/read_rows reads their features.
with wanted as (
    select unnest(tickers) as ticker, generate_subscripts(tickers, 1) as place
    from (select $tickers::varchar[] as tickers)
)

select
    wanted.place, targets.date, targets.label_end,
    coalesce(targets.value, 'nan'::double) as value
from targets
inner join wanted on wanted.ticker = targets.ticker
where
    targets.target = $target
    and targets.date >= $since
    and targets.ticker between $first_ticker and $last_ticker
