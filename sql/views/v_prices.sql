-- One row per stock and date of the 250 newest dates: prices as they were given.
create or replace view v_prices as
select ticker, date, open, high, low, close, volume, adj_close
from prices
where date >= (
    select min(date) from (select distinct date from prices order by date desc limit 250) as newest
);
