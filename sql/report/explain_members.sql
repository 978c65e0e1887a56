-- The members of a stock's newest trained ensemble, the heaviest first.
select * from v_weights where ticker = $ticker order by target, weight desc
