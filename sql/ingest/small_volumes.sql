-- Stocks of the input all of whose volumes are below a thousand and have at most three digits after
-- the point, most of them a fraction.
select ticker, count(volume) as n
from incoming
group by ticker
having
    count(volume) > 2
    and max(volume) < 1000
    and count(*) filter (volume * 1000 <> round(volume * 1000)) = 0
    and count(*) filter (volume <> floor(volume)) * 2 > count(volume)
order by n desc, ticker
