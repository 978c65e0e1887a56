-- Let go of the entries that have been written.
delete from ledger where entry_id in (from superseded);

drop table superseded
