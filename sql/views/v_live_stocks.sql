-- One row per stock with outcomes: how its forecasts did. Names that end in _60 are of the 60
-- newest dates that have outcomes.
create or replace view v_live_stocks as
with numbered as (
    select
        came.*,
        case when came.actual > 0 then 1 else 0 end as up,
        came.date >= last_60.since as is_new
    from v_outcomes as came
    left join (
        select target, min(date) as since
        from (
            select
                target, date,
                row_number() over (partition by target order by date desc) as place
            from outcome_days
        ) as days
        where place <= 60
        group by target
    ) as last_60 on last_60.target = came.target
)

select
    ticker, target, sector,
    count(*) as outcomes,
    min(date) as first_date,
    max(date) as last_date,
    avg(error) as mean_error,
    sum(error * error) / nullif(sum(actual * actual), 0) as mse_vs_zero,
    sum(crps) / nullif(sum(zero_crps), 0) as crps_vs_zero,
    avg(case when abs(pit - 0.5) <= 0.25 then 1 else 0 end)::double precision as coverage_50,
    avg(case when abs(pit - 0.5) <= 0.40 then 1 else 0 end)::double precision as coverage_80,
    avg(case when abs(pit - 0.5) <= 0.45 then 1 else 0 end)::double precision as coverage_90,
    avg((p_up - up) * (p_up - up)) as brier,
    count(*) filter (where is_new) as outcomes_60,
    sum(error * error) filter (where is_new)
    / nullif(sum(actual * actual) filter (where is_new), 0) as mse_vs_zero_60,
    sum(crps) filter (where is_new)
    / nullif(sum(zero_crps) filter (where is_new), 0) as crps_vs_zero_60,
    (avg(case when abs(pit - 0.5) <= 0.40 then 1 else 0 end)
        filter (where is_new))::double precision as coverage_80_60,
    (avg(case when abs(pit - 0.5) <= 0.45 then 1 else 0 end)
        filter (where is_new))::double precision as coverage_90_60
from numbered
group by ticker, target, sector
order by target, ticker;
