-- The forecasts of a date, with what came where it is known.
select
    forecasts.ticker, forecasts.sector, forecasts.mean, forecasts.sd, forecasts.q05,
    forecasts.q50, forecasts.q95, forecasts.p_up,
    forecasts.mean / nullif(forecasts.sd, 0) as signal, outcomes.actual
from v_predictions as forecasts
left join v_outcomes as outcomes
    on outcomes.ticker = forecasts.ticker
    and outcomes.target = forecasts.target
    and outcomes.date = forecasts.date
where forecasts.target = $target and forecasts.date = $day
