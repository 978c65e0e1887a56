-- One row per target and sector of the table `stocks`: how forecasts of its stocks did.
create or replace view v_live_sectors as
select
    target, sector,
    count(distinct ticker) as stocks,
    count(*) as outcomes,
    sum(error * error) / nullif(sum(actual * actual), 0) as mse_vs_zero,
    sum(crps) / nullif(sum(zero_crps), 0) as crps_vs_zero,
    avg(case when abs(pit - 0.5) <= 0.25 then 1.0 else 0.0 end)::double precision as coverage_50,
    avg(case when abs(pit - 0.5) <= 0.40 then 1.0 else 0.0 end)::double precision as coverage_80,
    avg(case when abs(pit - 0.5) <= 0.45 then 1.0 else 0.0 end)::double precision as coverage_90,
    avg(
        (p_up - case when actual > 0 then 1.0 else 0.0 end)
        * (p_up - case when actual > 0 then 1.0 else 0.0 end)
    ) as brier
from v_outcomes
where sector is not null
group by target, sector
order by target, sector;
