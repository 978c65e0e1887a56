-- Drop ensembles that are no longer in use.
delete from ensembles
where entry_id not in (select current_entry from standings where current_entry is not null)
