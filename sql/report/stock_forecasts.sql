-- A stock's forecasts as they were made, with what came of them; those of the newest rows are yet
-- to come. The newest 250.
with found as (
    select date, mean, q05, q95, actual
    from v_outcomes
    where target = $target and ticker = $ticker
    union all
    select date, mean, q05, q95, null
    from v_predictions as newest
    where
        target = $target and ticker = $ticker
        and not exists (
            select *
            from v_outcomes as came
            where
                came.target = newest.target and came.ticker = newest.ticker
                and came.date = newest.date
        )
)
select *
from (select * from found order by date desc limit 250)
order by date
