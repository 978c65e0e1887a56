-- The input's rows in the order in which stocks are stored and read.
create or replace temp table incoming as
select * from incoming order by ticker, date
