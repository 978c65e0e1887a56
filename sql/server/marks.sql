-- What a database on a server says of itself.
select name, value from meta
