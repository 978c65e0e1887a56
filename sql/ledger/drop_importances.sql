-- Drop importances of features that others take the place of. {which}: of which stocks.
delete from importances where {which}
