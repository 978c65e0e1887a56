-- Stocks of which the input has other prices than the store, by one constant factor from the
-- first day on that both have: after a split or dividend, all of history is restated. Not so where
-- the stored prices jump by that factor on that day, and the input's go on from those before: then
-- the stored ones of these days were wrong.
create or replace temp table restated as
select
    basis.ticker,
    basis.first_ratio as factor,
    basis.first_close_ratio as close_factor,
    -- A split divides the volume by what it multiplies the price with.
    case
        when abs(basis.first_close_ratio - 1) <= basis.noise then 1
        when abs(basis.volume_ratio * basis.first_close_ratio - 1) < 0.02 then basis.volume_ratio
        else 1
    end as volume_factor,
    basis.stored_last > basis.last_date
    and abs(basis.last_ratio - 1) > basis.noise as is_behind,
    basis.first_date,
    basis.stored_first < (select min(date) from overlap where overlap.ticker = basis.ticker)
        as has_older
from basis
inner join (
    select
        overlap.ticker,
        -- From the first day on one factor, then none: a step, not scattered corrections.
        bool_and(
            abs(overlap.ratio / basis.first_ratio - 1) <= 2 * overlap.noise
            or abs(overlap.ratio - 1) <= overlap.noise
        ) as is_step,
        count(*) filter (abs(overlap.ratio / basis.first_ratio - 1) <= 2 * overlap.noise) as n
    from overlap
    inner join basis on basis.ticker = overlap.ticker
    group by overlap.ticker
) as steps on steps.ticker = basis.ticker
left join (
    select
        prices.ticker,
        ln(
            arg_min(coalesce(prices.adj_close, prices.close), prices.date)
                filter (prices.date >= since.date)
            / arg_max(coalesce(prices.adj_close, prices.close), prices.date)
                filter (prices.date < since.date)
        ) as jump
    from main.prices
    inner join (
        select overlap.ticker, min(overlap.date) as date
        from overlap
        inner join basis on basis.ticker = overlap.ticker
        where abs(basis.first_ratio - 1) > basis.noise
        group by overlap.ticker
    ) as since on since.ticker = prices.ticker
    group by prices.ticker
) as seams on seams.ticker = basis.ticker
where steps.is_step
    and steps.n >= 2
    and not coalesce(
        abs(seams.jump) > 0.5 and abs(seams.jump + ln(basis.first_ratio)) < abs(seams.jump) / 4,
        false
    )
    and basis.n_outside > 0
    and abs(basis.first_ratio - 1) > basis.noise
