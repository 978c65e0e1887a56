-- One row per stock whose newest attempt failed or was skipped, and why.
-- What the panel has forgotten is history, and left out: it has no series.
create or replace view v_failures as
select
    found.ticker, made.status, made.error_type, made.error_message, made.n_rows, made.attempt,
    made.cause, made.finished_at, made.run_id, made.entry_id, found.target,
    stocks.sector
from standings as found
inner join series
    on series.ticker = found.ticker and series.target = found.target
inner join ledger as made
    on made.entry_id = found.newest_entry and made.finished_at = found.newest_at
left join stocks on stocks.ticker = found.ticker
where made.status <> 'trained';
