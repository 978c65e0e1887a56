-- The newest forecast of each stock and date.
-- {is_known}: what the panel has forgotten is history, and left out.
create or replace view v_predictions as
select
    attempts.ticker, attempts.date, attempts.target, attempts.mean, attempts.sd, attempts.q05,
    attempts.q25, attempts.q50, attempts.q75, attempts.q95, attempts.p_up, attempts.entry_id,
    stocks.sector
from (
    select
        predictions.*,
        row_number() over (
            partition by predictions.ticker, predictions.target, predictions.date
            order by v_attempts.age
        ) as place
    from predictions
    inner join v_attempts on v_attempts.entry_id = predictions.entry_id
) as attempts
left join stocks on stocks.ticker = attempts.ticker
where attempts.place = 1 and {is_known};
