-- Entries that ended before $before and that nothing stands on: neither the newest attempt at a
-- stock, nor the one in use, nor the one with the highest number, from which the next is counted.
-- How many there are.
create or replace temp table superseded as
select entry_id
from ledger
where
    finished_at < $before
    and entry_id not in (select newest_entry from standings)
    and entry_id not in (select current_entry from standings where current_entry is not null)
    and (ticker, target, attempt) not in (select ticker, target, attempts from standings);

select count(*) from superseded
