-- How many tickers of the input break a rule. An aggregate's filter, because DuckDB would push a
-- WHERE below the distinct and judge every row.
select count(*) filter (case {ticker_rules} end is not null)
from (select distinct ticker from source)
