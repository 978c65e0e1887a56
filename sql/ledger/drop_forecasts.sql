-- Drop forecasts that others take the place of. {which}: which.
delete from predictions where {which}
