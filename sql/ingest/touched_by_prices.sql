-- Stocks whose features are to be computed, and from which day on.
create or replace temp table touched as
select ticker, min(date) as first_date
from changed
group by ticker
