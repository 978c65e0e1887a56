-- Entries of a run.
select
    ticker, status, cause, fit_s, n_rows, cutoff, weight_rf, weight_xgb, weight_lgbm,
    weight_pooled, weight_zero, weight_mean, oof_mse_vs_zero, error_type, error_message
from v_entries
where run_id = $run_id and ($status is null or status = $status)
