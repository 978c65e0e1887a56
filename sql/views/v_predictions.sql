-- The newest forecast of each stock and date.
create or replace view v_predictions as
select ticker, date, target, mean, sd, q05, q25, q50, q75, q95, entry_id
from (
    select
        predictions.*,
        row_number() over (
            partition by predictions.ticker, predictions.target, predictions.date
            order by ledger.attempt desc
        ) as age
    from predictions
    inner join ledger on ledger.entry_id = predictions.entry_id
) as forecasts
where age = 1
    -- what the panel has forgotten is history
    and exists (
        select 1 from series
        where series.ticker = forecasts.ticker and series.target = forecasts.target
    );
