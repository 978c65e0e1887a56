-- How many rows of the input do not come after the row before them: none where the input is
-- sorted by ticker and date and no key occurs twice.
select count(*)
from (
    select
        ticker, date,
        lag(ticker) over () as ticker_before,
        lag(date) over () as date_before
    from incoming
)
where not (ticker > ticker_before or (ticker = ticker_before and date > date_before))
