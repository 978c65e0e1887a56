-- One row per target, date and fifth of the day's stocks by their forecast, 5 the highest: what
-- came on average. Dates with fewer than five stocks have none.
create or replace view v_quantile_returns as
select
    date, target,
    unnest(array[1, 2, 3, 4, 5]) as fifth,
    unnest(fifth_stocks) as stocks,
    unnest(fifth_forecasts) as forecast,
    unnest(fifth_actuals) as actual
from outcome_days
where stocks >= 5
order by target, date, fifth;
