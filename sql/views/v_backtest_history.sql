-- One row per forecaster and slice of every backtest, the newest one's too.
create or replace view v_backtest_history as
select
    tested.target, scores.slice, scores.part, scores.forecaster, scores.n_rows, scores.n_days,
    scores.mse_vs_zero, scores.ic, scores.icir, scores.ic_t, scores.crps_vs_zero,
    scores.log_score, scores.coverage_50, scores.coverage_80, scores.coverage_90, scores.pit,
    scores.dm, scores.dm_p, scores.brier_vs_half, scores.signs_right,
    tested.backtest_id, tested.is_newest, tested.finished_at, tested.cutoffs, tested.every,
    tested.n_stocks, tested.as_of, tested.preset, tested.config_hash, tested.code_version
from backtest_scores as scores
inner join v_backtests as tested on tested.backtest_id = scores.backtest_id
order by tested.finished_at;
