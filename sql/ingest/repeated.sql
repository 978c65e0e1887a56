-- Keys that occur more than once in the input, whether their rows disagree, and at how many
-- different times of day.
create or replace temp table repeated as
with keys as (
    select ticker, date, max(rowid) as last_row
    from incoming
    group by ticker, date
    having count(*) > 1
)

select
    keys.ticker, keys.date, keys.last_row, count(*) as n,
    count(distinct {row}) > 1 as disagree,
    count(distinct incoming.moment) as n_moments
from keys
inner join incoming on incoming.ticker = keys.ticker and incoming.date = keys.date
group by keys.ticker, keys.date, keys.last_row
