-- One row a stock whose last attempt failed or was skipped, and why.
create or replace view v_failures as
select
    ticker, status, error_type, error_message, n_rows, attempt, cause,
    finished_at, run_id, entry_id, target
from (
    select
        *, row_number() over (partition by ticker, target order by attempt desc) as age
    from ledger
) as attempts
where age = 1 and status <> 'trained'
    -- what the panel has forgotten is history
    and exists (
        select 1 from series
        where series.ticker = attempts.ticker and series.target = attempts.target
    );
