-- One row per target, date and fifth of the day's stocks by their forecast, 5 the highest: what
-- came on average. Dates with fewer than five stocks have none.
create or replace view v_quantile_returns as
select
    date, target, fifth,
    count(*) as stocks,
    avg(mean) as forecast,
    avg(actual) as actual
from (
    select
        date, target, mean, actual,
        ntile(5) over (partition by target, date order by mean, ticker) as fifth,
        count(*) over (partition by target, date) as stocks
    from v_outcomes
) as cut
where stocks >= 5
group by date, target, fifth
order by target, date, fifth;
