-- A date's stocks in ten groups by their mean forecast, 10 the highest.
select
    tenth,
    count(*) as stocks,
    avg(mean) as mean_forecast,
    avg(sd) as mean_sd,
    avg(actual) as mean_actual
from (
    select
        forecasts.mean, forecasts.sd, outcomes.actual,
        ntile(10) over (order by forecasts.mean, forecasts.ticker) as tenth
    from v_predictions as forecasts
    left join v_outcomes as outcomes
        on outcomes.ticker = forecasts.ticker
        and outcomes.target = forecasts.target
        and outcomes.date = forecasts.date
    where forecasts.target = $target and forecasts.date = $day
) as cut
group by tenth
order by tenth desc
