-- How many closes of the input lie outside of their day by more than what rounding may do, and of
-- which stocks the most.
select ticker, count(*) as n
from incoming
where close > high * 1.0001 or close < low * 0.9999
group by ticker
order by n desc, ticker
