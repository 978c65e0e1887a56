-- One row per stock with a trained ensemble: the current one, which `predict` uses.
-- {is_known}: what the panel has forgotten is history, and left out.
create or replace view v_latest as
select
    ticker, entry_id, run_id, finished_at as trained_at, n_rows, cutoff, fit_s,
    target, first_date, last_date, cause, attempt, preset,
    data_digest, config_hash, code_version, artifact_sha256, universe_sha256
from v_attempts as attempts
where is_current and {is_known};
