-- One row per stock with outcomes: how its forecasts did. Names that end in _60 are of its 60
-- newest outcomes.
create or replace view v_live_stocks as
with numbered as (
    select
        *,
        case when actual > 0 then 1.0 else 0.0 end as up,
        row_number() over (partition by ticker, target order by date desc) as place
    from v_outcomes
)

select
    ticker, target, sector,
    count(*) as outcomes,
    min(date) as first_date,
    max(date) as last_date,
    avg(error) as mean_error,
    sum(error * error) / nullif(sum(actual * actual), 0) as mse_vs_zero,
    sum(crps) / nullif(sum(zero_crps), 0) as crps_vs_zero,
    avg(case when abs(pit - 0.5) <= 0.25 then 1.0 else 0.0 end)::double precision as coverage_50,
    avg(case when abs(pit - 0.5) <= 0.40 then 1.0 else 0.0 end)::double precision as coverage_80,
    avg(case when abs(pit - 0.5) <= 0.45 then 1.0 else 0.0 end)::double precision as coverage_90,
    avg((p_up - up) * (p_up - up)) as brier,
    count(*) filter (where place <= 60) as outcomes_60,
    sum(error * error) filter (where place <= 60)
    / nullif(sum(actual * actual) filter (where place <= 60), 0) as mse_vs_zero_60,
    sum(crps) filter (where place <= 60)
    / nullif(sum(zero_crps) filter (where place <= 60), 0) as crps_vs_zero_60,
    (avg(case when abs(pit - 0.5) <= 0.40 then 1.0 else 0.0 end)
        filter (where place <= 60))::double precision as coverage_80_60,
    (avg(case when abs(pit - 0.5) <= 0.45 then 1.0 else 0.0 end)
        filter (where place <= 60))::double precision as coverage_90_60
from numbered
group by ticker, target, sector
order by target, ticker;
