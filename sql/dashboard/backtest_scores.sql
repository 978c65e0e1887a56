-- Scores of a backtest's forecasters over a slice of its rows, the best CRPS first.
select
    forecaster, n_rows, mse_vs_zero, ic, icir, ic_t, crps_vs_zero, log_score,
    coverage_50 as in_50, coverage_80 as in_80, coverage_90 as in_90, brier_vs_half, signs_right,
    dm_p
from v_backtest_history
where backtest_id = $backtest_id and slice = $slice
order by crps_vs_zero nulls last, forecaster
