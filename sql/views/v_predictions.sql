-- The newest forecast of each stock and date.
-- {is_known}: what the panel has forgotten is history, and left out.
create or replace view v_predictions as
select ticker, date, target, mean, sd, q05, q25, q50, q75, q95, p_up, entry_id
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
where place = 1 and {is_known};
