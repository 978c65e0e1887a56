-- Rows whose date is years from all other dates of their stock, in the input and in the store, on
-- one side, and few: mistyped years. And dates after tomorrow that are near their neighbours.
create or replace temp table far_dates as
with suspects as (
    select incoming.ticker
    from incoming
    group by incoming.ticker
    having max(date) > $tomorrow::date or date_diff('day', min(date), max(date)) > $far + 1.6 * count(*)
),

known as (
    select ticker, date, true as is_input from incoming where ticker in (from suspects)
    union all
    select ticker, first_date, false from main.series
    where ticker in (from suspects) and first_date is not null
    union all
    select ticker, last_date, false from main.series
    where ticker in (from suspects) and last_date is not null
),

-- A gap cuts the dates in two; the parts are islands.
cut as (
    select
        *,
        sum(
            case when gap > (case when date > $tomorrow::date then 366 else $far end) then 1 else 0 end
        ) over (partition by ticker order by date) as island
    from (
        select distinct
            *, date_diff('day', lag(date) over (partition by ticker order by date), date) as gap
        from known
    )
),

islands as (
    select ticker, island, count(*) as n, bool_and(is_input) as is_input, min(date) as first_date
    from cut
    group by ticker, island
)

select
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
