-- Scores of a forecaster by slice.
select
    slice, part, n_rows, mse_vs_zero, ic, icir, crps_vs_zero, coverage_80 as in_80,
    coverage_90 as in_90
from backtest_scores
where backtest_id = $backtest_id and forecaster = $forecaster and slice <> 'all'
order by slice desc, part
