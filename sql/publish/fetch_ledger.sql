-- Entries that ended since a time.
select * from ledger where finished_at >= $since
