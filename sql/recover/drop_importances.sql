-- Drop importances of features of ensembles that are no longer in use.
delete from importances
where entry_id not in (select current_entry from standings where current_entry is not null)
