-- One row per target and sector of the table `stocks`: how forecasts of its stocks did.
create or replace view v_live_sectors as
select
    found.target, stocks.sector,
    count(*) as stocks,
    sum(found.outcomes)::bigint as outcomes,
    sum(found.squares) / nullif(sum(found.zero_squares), 0) as mse_vs_zero,
    sum(found.crps) / nullif(sum(found.zero_crps), 0) as crps_vs_zero,
    sum(found.held_50) / sum(found.outcomes) as coverage_50,
    sum(found.held_80) / sum(found.outcomes) as coverage_80,
    sum(found.held_90) / sum(found.outcomes) as coverage_90,
    sum(found.brier) / nullif(sum(found.outcomes_with_p_up), 0) as brier
from outcome_stocks as found
inner join series
    on series.ticker = found.ticker and series.target = found.target
inner join stocks on stocks.ticker = found.ticker
where stocks.sector is not null
group by found.target, stocks.sector
order by found.target, stocks.sector;
