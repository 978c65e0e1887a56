-- Stocks with their status and newest forecast; each filter is NULL where it is not asked for.
select
    now.ticker, now.sector, now.status, now.cause, now.n_rows, now.last_date,
    now.trained_at, forecasts.for_date, forecasts.mean, forecasts.q05, forecasts.q95,
    forecasts.p_up, forecasts.is_current
from v_status as now
left join v_newest_forecasts as forecasts
    on forecasts.ticker = now.ticker and forecasts.target = now.target
where
    now.target = $target
    and ($search is null or contains(lower(now.ticker), lower($search::varchar)))
    and ($status is null or now.status = $status)
    and ($cause is null or now.cause = $cause)
    and ($sector is null or now.sector = $sector)
