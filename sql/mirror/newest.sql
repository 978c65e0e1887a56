-- The time of the newest row of a table.
select max({column}) as newest from {relation}
