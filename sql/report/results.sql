-- One row per stock: its status, weights, metrics and newest forecast, for exports.
with weights_of as (
    select ticker, target, map_from_entries(list((member, weight) order by member)) as weights
    from v_weights
    group by ticker, target
),

metrics_of as (
    select ticker, target, map_from_entries(list((name, value) order by name)) as metrics
    from v_metrics
    group by ticker, target
),

newest_forecast as (select * from v_newest_forecasts)

select
    v_status.ticker, v_status.target, v_status.status, v_status.cause, v_status.n_rows,
    v_status.trained_at, v_latest.entry_id, v_latest.cutoff, v_latest.fit_s,
    weights_of.weights, metrics_of.metrics,
    newest_forecast.date as forecast_date, newest_forecast.mean, newest_forecast.sd,
    newest_forecast.q05, newest_forecast.q25, newest_forecast.q50,
    newest_forecast.q75, newest_forecast.q95, newest_forecast.p_up,
    v_status.error_type, v_status.error_message
from v_status
left join v_latest on v_latest.ticker = v_status.ticker and v_latest.target = v_status.target
left join weights_of on weights_of.ticker = v_status.ticker and weights_of.target = v_status.target
left join metrics_of on metrics_of.ticker = v_status.ticker and metrics_of.target = v_status.target
left join newest_forecast
    on newest_forecast.ticker = v_status.ticker and newest_forecast.target = v_status.target
order by v_status.ticker, v_status.target
