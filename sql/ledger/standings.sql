-- Which entries of a stock count, as the ledger tells: its newest attempt, and the one in use, the
-- newest that was trained; of which date its newest forecast is, and when that was made.
-- {which}: of which stocks.
select
    made.ticker, made.target,
    max(case when place = 1 then entry_id end) as newest_entry,
    max(case when place = 1 then finished_at end) as newest_at,
    max(case when place_of_status = 1 and status = 'trained' then entry_id end) as current_entry,
    max(case when place_of_status = 1 and status = 'trained' then finished_at end) as current_at,
    max(attempt) as attempts,
    max(forecasts.date) as forecast_date,
    max(forecasts.made_at) as forecast_at
from (
    select
        ticker, target, entry_id, status, attempt, finished_at,
        row_number() over (partition by ticker, target order by {newest_first}) as place,
        row_number() over (
            partition by ticker, target, status = 'trained' order by {newest_first}
        ) as place_of_status
    from ledger
    where {which}
) as made
left join (
    select ticker, target, date, max(made_at) as made_at
    from predictions
    inner join (
        select ticker, target, max(date) as date
        from predictions
        where {which}
        group by ticker, target
    ) as newest using (ticker, target, date)
    group by ticker, target, date
) as forecasts on forecasts.ticker = made.ticker and forecasts.target = made.target
group by made.ticker, made.target
