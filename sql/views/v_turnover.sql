-- One row per target and date with outcomes but the first: which share of the day's highest and
-- lowest fifth of forecasts was not in it on the date before, and how alike all ranks are.
create or replace view v_turnover as
with ranked as (
    select
        date, target, ticker,
        ntile(5) over (partition by target, date order by mean, ticker) as fifth,
        percent_rank() over (partition by target, date order by mean) as place,
        dense_rank() over (partition by target order by date) as day
    from v_outcomes
)

select
    today.date, today.target,
    count(*) as stocks,
    1 - (count(*) filter (where today.fifth = 5 and before.fifth = 5))::double precision
    / nullif(count(*) filter (where today.fifth = 5), 0) as turnover_highest,
    1 - (count(*) filter (where today.fifth = 1 and before.fifth = 1))::double precision
    / nullif(count(*) filter (where today.fifth = 1), 0) as turnover_lowest,
    nullif(corr(today.place, before.place), 'nan'::double precision) as rank_correlation
from ranked as today
inner join ranked as before
    on before.target = today.target
    and before.ticker = today.ticker
    and before.day = today.day - 1
group by today.date, today.target
order by today.target, today.date;
