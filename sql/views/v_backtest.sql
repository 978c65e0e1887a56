-- One row per forecaster and slice (all rows, a year, a third of the stocks by liquidity, a sector)
-- of each target's newest backtest.
create or replace view v_backtest as
select
    newest.target, scores.slice, scores.part, scores.forecaster, scores.n_rows, scores.n_days,
    scores.mse_vs_zero, scores.ic, scores.icir, scores.ic_t, scores.crps_vs_zero,
    scores.log_score, scores.coverage_50, scores.coverage_80, scores.coverage_90, scores.pit,
    scores.dm, scores.dm_p, scores.brier_vs_half, scores.signs_right,
    newest.backtest_id, newest.finished_at, newest.cutoffs, newest.every, newest.n_stocks,
    newest.as_of, newest.preset, newest.config_hash
from backtest_scores as scores
inner join v_backtests as newest on newest.backtest_id = scores.backtest_id
where newest.is_newest;
