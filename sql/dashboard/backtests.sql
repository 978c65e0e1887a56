-- Backtests with the main scores of the ensemble.
select
    tested.backtest_id, tested.finished_at, tested.cutoffs, tested.every, tested.n_stocks,
    tested.preset, scores.mse_vs_zero, scores.ic, scores.icir, scores.crps_vs_zero,
    scores.coverage_80, scores.coverage_90, tested.is_newest
from v_backtests as tested
left join backtest_scores as scores
    on scores.backtest_id = tested.backtest_id
    and scores.slice = 'all' and scores.forecaster = 'ensemble'
where tested.target = $target
