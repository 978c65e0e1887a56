-- A place for the names of stocks whose rows are to be replaced.
create temporary table changed_series (ticker varchar, target varchar) on commit drop;

create temporary table changed_prices (ticker varchar) on commit drop;
