-- Stocks by how their forecasts did.
select
    ticker, sector, outcomes, last_date, mse_vs_zero, crps_vs_zero, crps_vs_zero_60, coverage_80,
    coverage_80_60, brier
from v_live_stocks
where target = $target
