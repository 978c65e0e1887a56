-- Tell anew how the forecasts of each stock did. {revised}: joins the next revision of the
-- label, if there is one.
delete from outcome_stocks;

insert into outcome_stocks (
    ticker, target, outcomes, outcomes_60, outcomes_with_p_up, first_date, last_date, error,
    squares, zero_squares, crps, zero_crps, held_50, held_80, held_90, brier, squares_60,
    zero_squares_60, crps_60, zero_crps_60, held_80_60, held_90_60
)
with came as (
    select
        found.ticker, found.target, found.date, found.crps, found.zero_crps, found.p_up,
        found.actual - found.mean as error,
        found.actual * found.actual as zero_square,
        abs(found.pit - 0.5) as off,
        case when found.actual > 0 then 1 else 0 end as up,
        found.date >= last_60.since as is_new
    from outcomes as found
    inner join (
        select target, min(date) as since
        from (
            select
                target, date,
                row_number() over (partition by target order by date desc) as place
            from outcome_days
        ) as days
        where place <= 60
        group by target
    ) as last_60 on last_60.target = found.target
    {revised}
    where revised.entry_id is null
)

select
    ticker, target,
    count(*) as outcomes,
    count(*) filter (where is_new) as outcomes_60,
    count(p_up) as outcomes_with_p_up,
    min(date) as first_date,
    max(date) as last_date,
    sum(error) as error,
    sum(error * error) as squares,
    sum(zero_square) as zero_squares,
    sum(crps) as crps,
    sum(zero_crps) as zero_crps,
    count(*) filter (where off <= 0.25) as held_50,
    count(*) filter (where off <= 0.40) as held_80,
    count(*) filter (where off <= 0.45) as held_90,
    sum((p_up - up) * (p_up - up)) as brier,
    sum(error * error) filter (where is_new) as squares_60,
    sum(zero_square) filter (where is_new) as zero_squares_60,
    sum(crps) filter (where is_new) as crps_60,
    sum(zero_crps) filter (where is_new) as zero_crps_60,
    count(*) filter (where is_new and off <= 0.40) as held_80_60,
    count(*) filter (where is_new and off <= 0.45) as held_90_60
from came
group by ticker, target
