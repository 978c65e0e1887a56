-- Entries whose ensembles are in use. {which}: of which stocks.
select current_entry from standings where {which}
