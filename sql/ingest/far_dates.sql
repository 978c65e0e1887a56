-- Rows whose date is years from all other dates of their stock, in the input and in the store, on
-- one side, and few: mistyped years. And dates after tomorrow that are near their neighbours.
create or replace temp table far_dates as
with suspects as (
    select incoming.ticker
    from incoming
    group by incoming.ticker
    having max(date) > $tomorrow::date or date_diff('day', min(date), max(date)) > $far + 1.6 * count(*)
    union
    select incoming.ticker
    from incoming
    inner join main.series on series.ticker = incoming.ticker
    where incoming.date < series.first_date - $far
),

stored as (
    select ticker, count(*) as n, min(date) as first_date, max(date) as last_date
    from main.prices
    where ticker in (from suspects)
    group by ticker
    union all
    select ticker, count(*) as n, min(date) as first_date, max(date) as last_date
    from main.features
    where ticker in (from suspects)
    group by ticker
),

known as (
    select ticker, date, 1 as n, true as is_input from incoming where ticker in (from suspects)
    union all
    select ticker, first_date, n, false from stored
    union all
    select ticker, last_date, n, false from stored
),

-- A gap cuts the dates in two; the parts are islands.
cut as (
    select
        *,
        sum(
            case when gap > (case when date > $tomorrow::date then 366 else $far end) then 1 else 0 end
        ) over (partition by ticker order by date) as island
    from (
        select
            *, date_diff('day', lag(date) over (partition by ticker order by date), date) as gap
        from known
    )
),

islands as (
    select ticker, island, sum(n) as n, bool_and(is_input) as is_input, min(date) as first_date
    from cut
    group by ticker, island
)

select distinct
    cut.ticker,
    cut.date,
    islands.n <= $few
    and islands.is_input
    and islands.n < (select max(other.n) from islands as other where other.ticker = cut.ticker)
        as is_far,
    cut.date > $tomorrow::date as is_future
from cut
inner join islands on islands.ticker = cut.ticker and islands.island = cut.island
where cut.is_input and (
    cut.date > $tomorrow::date
    or (
        islands.n <= $few
        and islands.n < (select max(other.n) from islands as other where other.ticker = cut.ticker)
    )
)
