-- Correlations of features with a target, and with the same target when its horizon has passed,
-- over a sample of the input's stocks.
with sizes as (
    select ticker, count(*) as n
    from incoming
    group by ticker
),

sampled as (
    select ticker
    from (select *, sum(n) over (order by hash(ticker), ticker) as rows_so_far from sizes)
    where rows_so_far - n < $rows
),

with_later as (
    select
        {values},
        {y} as y,
        lead({y}, $horizon) over (partition by ticker order by date) as y_next
    from incoming
    where ticker in (select ticker from sampled)
)

select count(y), count(y_next), {correlations}
from with_later
-- Beyond, squares would overflow.
where y between -1e100 and 1e100 and coalesce(y_next between -1e100 and 1e100, true)
