-- One row per attempt at a stock: its run and cause, what became of it, and its weights and
-- metrics as columns. Those of members that are no part of it are NULL.
create or replace view v_entries as
select
    made.ticker, made.target, made.attempt, made.status, made.cause, made.is_current,
    made.cutoff, made.n_rows, made.first_date, made.last_date, made.fit_s, made.preset,
    made.started_at, made.finished_at, made.error_type, made.error_message,
    weighed.weight_rf, weighed.weight_xgb, weighed.weight_lgbm, weighed.weight_pooled,
    weighed.weight_zero, weighed.weight_mean,
    measured.oof_rows, measured.oof_rmse, measured.oof_mse_vs_zero, measured.oof_log_score,
    measured.oof_coverage_80, measured.oof_coverage_90,
    made.run_id, runs.started_at as run_started_at, runs.status as run_status,
    stocks.sector, made.config_hash, made.code_version, made.data_digest,
    made.artifact_sha256, made.universe_sha256, made.entry_id
from v_attempts as made
left join runs on runs.run_id = made.run_id
left join stocks on stocks.ticker = made.ticker
left join (
    select
        entry_id,
        max(case when member = 'rf' then weight end) as weight_rf,
        max(case when member = 'xgb' then weight end) as weight_xgb,
        max(case when member = 'lgbm' then weight end) as weight_lgbm,
        max(case when member = 'pooled' then weight end) as weight_pooled,
        max(case when member = 'zero' then weight end) as weight_zero,
        max(case when member = 'mean' then weight end) as weight_mean
    from weights
    group by entry_id
) as weighed on weighed.entry_id = made.entry_id
left join (
    select
        entry_id,
        max(case when name = 'oof_rows' then value end) as oof_rows,
        max(case when name = 'oof_rmse' then value end) as oof_rmse,
        max(case when name = 'oof_mse_vs_zero' then value end) as oof_mse_vs_zero,
        max(case when name = 'oof_log_score' then value end) as oof_log_score,
        max(case when name = 'oof_coverage_80' then value end) as oof_coverage_80,
        max(case when name = 'oof_coverage_90' then value end) as oof_coverage_90
    from metrics
    group by entry_id
) as measured on measured.entry_id = made.entry_id
order by made.finished_at, made.ticker;
