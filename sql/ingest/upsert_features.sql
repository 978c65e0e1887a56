-- Put the rows of `fresh` into the features table.
delete from main.features
using fresh
where features.ticker = fresh.ticker and features.date = fresh.date;

insert into main.features by name
select * from fresh;
