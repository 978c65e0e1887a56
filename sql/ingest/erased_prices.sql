-- Revised rows that lack a price or volume which the store has of the day.
select changed.ticker || ' ' || changed.date as row
from changed
inner join main.prices on prices.ticker = changed.ticker and prices.date = changed.date
where changed.is_revision
    and (
        (prices.open is not null and changed.open is null)
        or (prices.high is not null and changed.high is null)
        or (prices.low is not null and changed.low is null)
        or (prices.volume is not null and changed.volume is null)
    )
order by all
