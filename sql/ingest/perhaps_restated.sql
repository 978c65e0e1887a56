-- Stocks of which the input has another price than the store on the first day that both have, but
-- not so that it is known to restate all that lies before: on that day alone, or by several factors.
-- What moves a price by more is seen as a jump, or was wrong in the store.
select basis.ticker, basis.first_ratio
from basis
where abs(basis.first_ratio - 1) > basis.noise
    and abs(ln(basis.first_ratio)) < 0.5
    and basis.stored_first < (select min(date) from overlap where overlap.ticker = basis.ticker)
    and basis.ticker not in (select ticker from restated)
order by basis.ticker
