-- One row per stock whose newest attempt failed or was skipped, and why.
-- {is_known}: what the panel has forgotten is history, and left out.
create or replace view v_failures as
select
    ticker, status, error_type, error_message, n_rows, attempt, cause,
    finished_at, run_id, entry_id, target
from v_attempts as attempts
where age = 1 and status <> 'trained' and {is_known};
