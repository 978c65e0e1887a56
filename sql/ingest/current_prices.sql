-- The store's prices as they will be with the changed rows in place.
create or replace temp view current_prices as
select prices.*
from main.prices
anti join changed on changed.ticker = prices.ticker and changed.date = prices.date
union all by name
select * exclude (is_revision) from changed
