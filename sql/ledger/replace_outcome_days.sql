-- Tell anew how the forecasts of each date did over its stocks, from the date $since on: over all
-- that were forecast, for to leave out those that the panel has forgotten would flatter.
-- {revised}: joins the next revision of the label, if there is one.
delete from outcome_days where date >= $since;

insert into outcome_days (
    target, date, stocks, ic, squared_error, zero_squared_error, crps, zero_crps, log_score,
    coverage_50, coverage_80, coverage_90, zero_coverage_50, zero_coverage_80, zero_coverage_90,
    brier, pits, zero_pits, fifth_stocks, fifth_forecasts, fifth_actuals, stocks_before,
    turnover_highest, turnover_lowest, rank_correlation
)
with came as (
    select found.*, found.actual - found.mean as error
    from outcomes as found
    left join (
        select target, max(date) as date from outcomes where date < $since group by target
    ) as last_before on last_before.target = found.target
    {revised}
    where
        revised.entry_id is null
        -- The date before counts too, for what has changed since.
        and found.date >= coalesce(last_before.date, $since)
),

ranked as (
    select
        came.*,
        rank() over (partition by target, date order by mean)
        + (count(*) over (partition by target, date, mean) - 1) / 2.0 as forecast_rank,
        rank() over (partition by target, date order by actual)
        + (count(*) over (partition by target, date, actual) - 1) / 2.0 as actual_rank,
        ntile(5) over (partition by target, date order by mean, ticker) as fifth,
        percent_rank() over (partition by target, date order by mean) as place,
        dense_rank() over (partition by target order by date) as day,
        least(floor(pit * 10), 9) as tenth,
        case when zero_pit is not null then least(floor(zero_pit * 10), 9) end as zero_tenth,
        case when actual > 0 then 1 else 0 end as up
    from came
),

days as (
    select
        target, date,
        count(*) as stocks,
        case
            when count(*) >= 5
                then nullif(corr(forecast_rank, actual_rank), 'nan'::double precision)
        end as ic,
        avg(error * error) as squared_error,
        avg(actual * actual) as zero_squared_error,
        avg(crps) as crps,
        avg(zero_crps) as zero_crps,
        avg(log_score) as log_score,
        avg(case when abs(pit - 0.5) <= 0.25 then 1 else 0 end) as coverage_50,
        avg(case when abs(pit - 0.5) <= 0.40 then 1 else 0 end) as coverage_80,
        avg(case when abs(pit - 0.5) <= 0.45 then 1 else 0 end) as coverage_90,
        avg(case when abs(zero_pit - 0.5) <= 0.25 then 1 when zero_pit is not null then 0 end)
            as zero_coverage_50,
        avg(case when abs(zero_pit - 0.5) <= 0.40 then 1 when zero_pit is not null then 0 end)
            as zero_coverage_80,
        avg(case when abs(zero_pit - 0.5) <= 0.45 then 1 when zero_pit is not null then 0 end)
            as zero_coverage_90,
        avg((p_up - up) * (p_up - up)) as brier,
        array[{pits}] as pits,
        array[{zero_pits}] as zero_pits
    from ranked
    group by target, date
),

fifths as (
    select
        target, date,
        array_agg(stocks order by fifth) as fifth_stocks,
        array_agg(forecast order by fifth) as fifth_forecasts,
        array_agg(actual order by fifth) as fifth_actuals
    from (
        select target, date, fifth, count(*) as stocks, avg(mean) as forecast, avg(actual) as actual
        from ranked
        group by target, date, fifth
    ) as cut
    group by target, date
),

-- By a window: PostgreSQL, which has no statistics of rows this new, would join each with each.
with_before as (
    select
        target, date, fifth, place,
        lag(fifth) over by_stock as fifth_before,
        lag(place) over by_stock as place_before,
        day - lag(day) over by_stock as days_since
    from ranked
    window by_stock as (partition by target, ticker order by date)
),

changed as (
    select
        target, date,
        count(*) as stocks_before,
        1 - (count(*) filter (where fifth = 5 and fifth_before = 5))::double precision
        / nullif(count(*) filter (where fifth = 5), 0) as turnover_highest,
        1 - (count(*) filter (where fifth = 1 and fifth_before = 1))::double precision
        / nullif(count(*) filter (where fifth = 1), 0) as turnover_lowest,
        nullif(corr(place, place_before), 'nan'::double precision) as rank_correlation
    from with_before
    where days_since = 1
    group by target, date
)

select
    days.target, days.date, days.stocks, ic, squared_error, zero_squared_error, crps, zero_crps,
    log_score, coverage_50, coverage_80, coverage_90, zero_coverage_50, zero_coverage_80,
    zero_coverage_90, brier, pits, zero_pits, fifth_stocks, fifth_forecasts, fifth_actuals,
    coalesce(stocks_before, 0) as stocks_before, turnover_highest, turnover_lowest,
    rank_correlation
from days
inner join fifths on fifths.target = days.target and fifths.date = days.date
left join changed on changed.target = days.target and changed.date = days.date
where days.date >= $since
