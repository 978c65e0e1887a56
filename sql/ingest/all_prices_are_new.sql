-- In a store without prices, every row of the input is new.
create or replace temp view changed as
select ticker, date, open, high, low, close, volume, adj_close, false as is_revision
from incoming
