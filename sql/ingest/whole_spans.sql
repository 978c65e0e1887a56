-- Every touched stock is to be computed from its first day on.
create or replace temp table spans as
select ticker, min(date) as first_date, min(date) as label_from, min(date) as read_from
from current_prices
where ticker in (select ticker from touched)
group by ticker
