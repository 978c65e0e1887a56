-- Rows of features of some stocks since a date, each with the place of its stock among those asked
-- for. Where all rows are of this transaction, DuckDB takes the table for empty and reads it whole
-- into memory before it joins: the range of tickers keeps that to what lies near those asked for.
with wanted as (
    select unnest(tickers) as ticker, generate_subscripts(tickers, 1) as place
    from (select $tickers::varchar[] as tickers)
)

select wanted.place, features.date
    {feature_columns}
from features
inner join wanted on wanted.ticker = features.ticker
where
    features.date >= $since
    and features.ticker between $first_ticker and $last_ticker
