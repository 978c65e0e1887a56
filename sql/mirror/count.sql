-- How many rows a table has.
select count(*) as n from {relation}
