-- {history}: the ledger, with what was moved to the archive.
-- One row per attempt at a stock. age counts back from the newest, which is the one with the
-- newest cutoff, and of these the last: a look back (train --as-of) replaces nothing.
-- is_current marks the trained attempt whose ensemble is in use.
create or replace view v_attempts as
select
    ledger.entry_id, ledger.run_id, ledger.ticker, ledger.target, ledger.status, ledger.cause,
    ledger.data_digest, ledger.config_hash, ledger.code_version, ledger.preset, ledger.n_rows,
    ledger.first_date, ledger.last_date, ledger.cutoff, ledger.attempt, ledger.fit_s,
    ledger.started_at, ledger.finished_at, ledger.error_type, ledger.error_message,
    ensembles.artifact_sha256, ledger.universe_sha256,
    row_number() over (
        partition by ledger.ticker, ledger.target order by {newest_first}
    ) as age,
    coalesce(ledger.entry_id = standings.current_entry, false) as is_current,
    standings.attempts
from {history} as ledger
left join standings
    on standings.ticker = ledger.ticker and standings.target = ledger.target
left join ensembles
    on ensembles.ticker = ledger.ticker and ensembles.target = ledger.target
    and ensembles.entry_id = ledger.entry_id;
