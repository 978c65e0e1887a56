-- Attempts at a stock.
select
    finished_at, status, cause, cutoff, n_rows, fit_s, weight_rf, weight_xgb, weight_lgbm,
    weight_pooled, weight_zero, weight_mean, is_current, error_type, run_id
from v_entries
where target = $target and ticker = $ticker
