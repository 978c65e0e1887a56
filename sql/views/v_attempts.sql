-- One row per attempt at a stock. age counts back from the newest, which is the one with the
-- newest cutoff, and of these the last: a look back (train --as-of) replaces nothing.
-- is_current marks the trained attempt whose ensemble is in use.
create or replace view v_attempts as
select
    ledger.*,
    row_number() over (
        partition by ticker, target order by cutoff desc nulls last, attempt desc
    ) as age,
    status = 'trained' and row_number() over (
        partition by ticker, target, status = 'trained'
        order by cutoff desc nulls last, attempt desc
    ) = 1 as is_current,
    max(attempt) over (partition by ticker, target) as attempts
from ledger;
