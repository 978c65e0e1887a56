-- Take all rows out of a table that is sent whole.
delete from {relation}
