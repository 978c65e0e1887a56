-- Put the changed rows in place.
delete from main.prices
using changed
where changed.is_revision and prices.ticker = changed.ticker and prices.date = changed.date;

insert into main.prices by name
select * exclude (is_revision) from changed;
