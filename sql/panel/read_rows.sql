-- Rows of some stocks since a date, stock after stock in the order asked for, oldest first.
-- Where all rows are of this transaction, DuckDB takes their tables for empty and reads them whole
-- into memory before it joins: the range of tickers keeps that to what lies near those asked for.
with wanted as (
    select unnest(tickers) as ticker, generate_subscripts(tickers, 1) as place
    from (select $tickers::varchar[] as tickers)
),

-- Narrowed down before the join: otherwise it would hold the labels of all stocks in memory.
labels as (
    select wanted.place, targets.date, targets.label_end, targets.value
    from targets
    inner join wanted on wanted.ticker = targets.ticker
    where
        targets.target = $target
        and targets.date >= $since
        and targets.ticker between $first_ticker and $last_ticker
)

select
    wanted.place,
    features.date,
    labels.label_end,
    coalesce(labels.value, 'nan'::double) as value
    {feature_columns}
from features
inner join wanted on wanted.ticker = features.ticker
left join labels on labels.place = wanted.place and labels.date = features.date
where
    features.date >= $since
    and features.ticker between $first_ticker and $last_ticker
order by wanted.place, features.date
