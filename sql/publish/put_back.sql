-- Move all rows of {taken} to the end of {published}.
insert into {published} by name from {taken};

drop table {taken}
