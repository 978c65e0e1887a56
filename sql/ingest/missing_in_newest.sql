-- For features with missing values: in how many stocks they are missing in just the newest rows.
with spans as (
    select ticker, count(*) as n, {spans}
    from incoming
    group by ticker
    having count(*) >= $fewest
),

counted as (
    select spans.ticker, any_value(spans.n) as n, {counts}
    from incoming
    inner join spans on spans.ticker = incoming.ticker
    group by spans.ticker
)

select count(*), {tests}
from counted
