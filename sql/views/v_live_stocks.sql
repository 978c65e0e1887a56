-- One row per stock with outcomes: how its forecasts did. Names that end in _60 are of the 60
-- newest dates that have outcomes.
-- What the panel has forgotten is history, and left out: it has no series.
create or replace view v_live_stocks as
select
    found.ticker, found.target, stocks.sector, found.outcomes, found.first_date, found.last_date,
    found.error / found.outcomes as mean_error,
    found.squares / nullif(found.zero_squares, 0) as mse_vs_zero,
    found.crps / nullif(found.zero_crps, 0) as crps_vs_zero,
    found.held_50 / found.outcomes as coverage_50,
    found.held_80 / found.outcomes as coverage_80,
    found.held_90 / found.outcomes as coverage_90,
    found.brier / nullif(found.outcomes_with_p_up, 0) as brier,
    found.outcomes_60,
    found.squares_60 / nullif(found.zero_squares_60, 0) as mse_vs_zero_60,
    found.crps_60 / nullif(found.zero_crps_60, 0) as crps_vs_zero_60,
    found.held_80_60 / nullif(found.outcomes_60, 0) as coverage_80_60,
    found.held_90_60 / nullif(found.outcomes_60, 0) as coverage_90_60
from outcome_stocks as found
inner join series
    on series.ticker = found.ticker and series.target = found.target
left join stocks on stocks.ticker = found.ticker
order by found.target, found.ticker;
