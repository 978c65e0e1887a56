-- One row a stock with a trained ensemble: the newest one, which `predict` uses.
create or replace view v_latest as
select
    ticker, entry_id, run_id, finished_at as trained_at, n_rows, cutoff, fit_s,
    target, first_date, last_date, cause, attempt, preset,
    data_digest, config_hash, code_version, artifact_sha256, universe_sha256
from (
    select
        *, row_number() over (partition by ticker, target order by attempt desc) as age
    from ledger
    where status = 'trained'
) as trained
where age = 1
    -- what the panel has forgotten is history
    and exists (
        select 1 from series
        where series.ticker = trained.ticker and series.target = trained.target
    );
