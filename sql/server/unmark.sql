-- Forget one thing that a database says of itself.
delete from meta where name = $mark
