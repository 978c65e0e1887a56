-- {history}: the ledger, with what was moved to the archive.
-- One row per attempt at a stock: its run and cause, what became of it, and its weights and
-- metrics as columns. Those of members that are no part of it are NULL.
create or replace view v_entries as
select
    made.ticker, made.target, made.attempt, made.status, made.cause,
    coalesce(made.entry_id = standings.current_entry, false) as is_current,
    made.cutoff, made.n_rows, made.first_date, made.last_date, made.fit_s, made.preset,
    made.started_at, made.finished_at, made.error_type, made.error_message,
    made.weights[array_position(made.members, 'rf')] as weight_rf,
    made.weights[array_position(made.members, 'xgb')] as weight_xgb,
    made.weights[array_position(made.members, 'lgbm')] as weight_lgbm,
    made.weights[array_position(made.members, 'pooled')] as weight_pooled,
    made.weights[array_position(made.members, 'zero')] as weight_zero,
    made.weights[array_position(made.members, 'mean')] as weight_mean,
    made.oof_rows, made.oof_rmse, made.oof_mse_vs_zero, made.oof_log_score,
    made.oof_coverage_80, made.oof_coverage_90,
    made.run_id, runs.started_at as run_started_at, runs.status as run_status,
    stocks.sector, made.config_hash, made.code_version, made.data_digest,
    ensembles.artifact_sha256, made.universe_sha256, made.entry_id
from {history} as made
left join standings on standings.ticker = made.ticker and standings.target = made.target
left join ensembles
    on ensembles.ticker = made.ticker and ensembles.target = made.target
    and ensembles.entry_id = made.entry_id
left join runs on runs.run_id = made.run_id
left join stocks on stocks.ticker = made.ticker;
