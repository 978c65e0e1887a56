-- Tickers of the input that differ from others, of the input or the store, in case alone, or in how
-- an accent is encoded.
with given as (
    select distinct ticker from incoming
),

known as (
    select ticker from given
    union
    select distinct ticker from main.series
)

select string_agg(ticker, '/' order by ticker) as alike
from known
group by nfc_normalize(lower(ticker))
having count(*) > 1 and bool_or(ticker in (from given))
order by alike
