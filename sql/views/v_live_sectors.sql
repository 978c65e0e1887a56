-- One row per target and sector of the table `stocks`: how forecasts of its stocks did.
create or replace view v_live_sectors as
select
    target, sector,
    count(*) as stocks,
    sum(outcomes)::bigint as outcomes,
    sum(squares) / nullif(sum(zero_squares), 0) as mse_vs_zero,
    sum(crps) / nullif(sum(zero_crps), 0) as crps_vs_zero,
    sum(held_50)::double precision / sum(outcomes) as coverage_50,
    sum(held_80)::double precision / sum(outcomes) as coverage_80,
    sum(held_90)::double precision / sum(outcomes) as coverage_90,
    sum(brier) / sum(case when brier is not null then outcomes end) as brier
from (
    select
        target, sector, ticker,
        count(*) as outcomes,
        sum(error * error) as squares,
        sum(actual * actual) as zero_squares,
        sum(crps) as crps,
        sum(zero_crps) as zero_crps,
        sum(case when abs(pit - 0.5) <= 0.25 then 1 else 0 end) as held_50,
        sum(case when abs(pit - 0.5) <= 0.40 then 1 else 0 end) as held_80,
        sum(case when abs(pit - 0.5) <= 0.45 then 1 else 0 end) as held_90,
        sum(
            (p_up - case when actual > 0 then 1 else 0 end)
            * (p_up - case when actual > 0 then 1 else 0 end)
        ) as brier
    from v_outcomes
    where sector is not null
    group by target, sector, ticker
) as by_stock
group by target, sector
order by target, sector;
