-- Of each stock, where its newest outcomes fell in what was forecast: of forecasts made since its
-- intervals were last found to hold no longer, $n at most, the newest first.
select ticker, date, pit
from (
    select
        came.ticker, came.date, came.pit,
        row_number() over (partition by came.ticker order by came.date desc) as place
    from v_outcomes as came
    left join (
        select ticker, max(marked_at) as marked_at
        from decays
        where target = $target
        group by ticker
    ) as marked on marked.ticker = came.ticker
    where came.target = $target and came.made_at > coalesce(marked.marked_at, timestamp '1970-01-01')
) as numbered
where place <= $n
order by ticker, date desc
