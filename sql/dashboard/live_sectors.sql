-- How forecasts did by sector.
select sector, stocks, outcomes, mse_vs_zero, crps_vs_zero, coverage_80, coverage_90, brier
from v_live_sectors
where target = $target
order by crps_vs_zero
