-- For each touched stock: the first day to compute features for, the first whose label may
-- have changed ($horizon rows earlier), and the first whose prices are needed for that.
create or replace temp table spans as
select
    touched.ticker,
    touched.first_date,
    coalesce(list_min(max(prices.date, $horizon)), touched.first_date) as label_from,
    coalesce(list_min(max(prices.date, $reach)), touched.first_date) as read_from
from touched
left join main.prices
    on prices.ticker = touched.ticker and prices.date < touched.first_date
group by touched.ticker, touched.first_date
