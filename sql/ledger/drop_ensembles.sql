-- Drop ensembles that others take the place of. {which}: of which stocks.
delete from ensembles where {which}
