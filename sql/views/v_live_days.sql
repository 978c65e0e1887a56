-- One row per target and date whose outcomes are known: how the day's forecasts did over its
-- stocks. Names that end in _20 and _60 are of the 20 and 60 days up to it.
create or replace view v_live_days as
select
    date, target, stocks, ic,
    squared_error / nullif(zero_squared_error, 0) as mse_vs_zero,
    crps / nullif(zero_crps, 0) as crps_vs_zero,
    coverage_50, coverage_80, coverage_90, brier,
    avg(ic) over last_20 as ic_20,
    avg(ic) over last_60 as ic_60,
    sum(squared_error) over last_20 / nullif(sum(zero_squared_error) over last_20, 0)
        as mse_vs_zero_20,
    sum(squared_error) over last_60 / nullif(sum(zero_squared_error) over last_60, 0)
        as mse_vs_zero_60,
    sum(crps) over last_20 / nullif(sum(zero_crps) over last_20, 0) as crps_vs_zero_20,
    sum(crps) over last_60 / nullif(sum(zero_crps) over last_60, 0) as crps_vs_zero_60,
    avg(coverage_50) over last_20 as coverage_50_20,
    avg(coverage_50) over last_60 as coverage_50_60,
    avg(coverage_80) over last_20 as coverage_80_20,
    avg(coverage_80) over last_60 as coverage_80_60,
    avg(coverage_90) over last_20 as coverage_90_20,
    avg(coverage_90) over last_60 as coverage_90_60,
    avg(brier) over last_20 as brier_20,
    avg(brier) over last_60 as brier_60,
    squared_error, zero_squared_error, crps, zero_crps, log_score
from outcome_days
window
    last_20 as (partition by target order by date rows 19 preceding),
    last_60 as (partition by target order by date rows 59 preceding)
order by target, date;
