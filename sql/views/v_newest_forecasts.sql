-- One row per stock: its newest forecast. for_date is the weekday, horizon weekdays later, for
-- which it is; days_behind counts calendar days from its date to the newest of any stock;
-- is_current says that it is of that date, and by the ensemble in use.
create or replace view v_newest_forecasts as
select
    newest.ticker, newest.target, newest.date,
    newest.date + (
        runs.horizon
        + 2 * floor((least(extract(isodow from newest.date), 5) - 1 + runs.horizon) / 5.0)
        - greatest(extract(isodow from newest.date) - 5, 0)
    )::integer as for_date,
    runs.horizon, newest.mean, newest.sd, newest.q05, newest.q25, newest.q50, newest.q75,
    newest.q95, newest.p_up,
    newest.mean / nullif(newest.sd, 0) as signal,
    (newest.market_date - newest.date)::integer as days_behind,
    newest.date = newest.market_date
    and coalesce(newest.entry_id = newest.current_entry, false) as is_current,
    newest.sector, newest.entry_id, newest.made_at
from (
    select
        forecasts.*, found.current_entry, stocks.sector,
        max(found.forecast_date) over (partition by found.target) as market_date
    from standings as found
    inner join series
        on series.ticker = found.ticker and series.target = found.target
    inner join predictions as forecasts
        on forecasts.ticker = found.ticker
        and forecasts.target = found.target
        and forecasts.date = found.forecast_date
    left join stocks on stocks.ticker = found.ticker
) as newest
inner join (
    select target, max(horizon) as horizon from runs group by target
) as runs on runs.target = newest.target;
