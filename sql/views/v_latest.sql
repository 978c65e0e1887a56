-- One row per stock with a trained ensemble: the current one, which `predict` uses.
-- What the panel has forgotten is history, and left out: it has no series.
create or replace view v_latest as
select
    found.ticker, made.entry_id, made.run_id, made.finished_at as trained_at, made.n_rows,
    made.cutoff, made.fit_s, found.target, made.first_date, made.last_date, made.cause,
    made.attempt, made.preset, made.data_digest, made.config_hash, made.code_version,
    ensembles.artifact_sha256, made.universe_sha256, stocks.sector
from standings as found
inner join series
    on series.ticker = found.ticker and series.target = found.target
inner join ledger as made
    on made.entry_id = found.current_entry and made.finished_at = found.current_at
inner join ensembles
    on ensembles.ticker = found.ticker and ensembles.target = found.target
    and ensembles.entry_id = found.current_entry
left join stocks on stocks.ticker = found.ticker;
