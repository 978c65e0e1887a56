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
    newest.date = newest.market_date and made.is_current as is_current,
    newest.sector, newest.entry_id
from (
    select
        v_predictions.*,
        max(date) over (partition by target) as market_date,
        row_number() over (partition by ticker, target order by date desc) as place
    from v_predictions
) as newest
inner join v_attempts as made on made.entry_id = newest.entry_id
inner join runs on runs.run_id = made.run_id
where newest.place = 1
order by newest.target, newest.ticker;
