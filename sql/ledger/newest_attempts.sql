-- The newest attempt at each stock of a target, with its current ensemble.
select
    standings.ticker, newest.status, newest.cutoff, standings.attempts, newest.finished_at,
    exists (
        select 1 from decays
        where decays.ticker = newest.ticker
            and decays.target = newest.target
            and decays.marked_at > newest.finished_at
    ) as has_decayed,
    newest.data_digest, newest.config_hash, newest.code_version,
    newest.n_rows, newest.history_since,
    standings.current_entry, standings.forecast_date, standings.forecast_at,
    ensembles.artifact_sha256 as current_artifact, in_use.universe_sha256 as current_universe
from standings
inner join ledger as newest
    on newest.entry_id = standings.newest_entry and newest.finished_at = standings.newest_at
left join ledger as in_use
    on in_use.entry_id = standings.current_entry and in_use.finished_at = standings.current_at
left join ensembles
    on ensembles.ticker = standings.ticker and ensembles.target = standings.target
    and ensembles.entry_id = standings.current_entry
where standings.target = $target
