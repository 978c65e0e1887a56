-- Entries that a mirror has.
select entry_id as id from ledger
