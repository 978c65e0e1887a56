-- One row per stock, target and date whose label has come: the forecast as it was first made before
-- the label was known, what came, and its scores beside those of the null member `zero`.
-- {is_known}: what the panel has forgotten is history, and left out.
create or replace view v_outcomes as
select
    attempts.ticker, attempts.date, attempts.target, attempts.label_end, attempts.made_at,
    attempts.settled_at, attempts.revision, attempts.mean, attempts.sd, attempts.q05, attempts.q25,
    attempts.q50, attempts.q75, attempts.q95, attempts.p_up, attempts.actual, attempts.error,
    attempts.pit, attempts.crps, attempts.log_score, attempts.zero_pit, attempts.zero_crps,
    attempts.zero_log_score, stocks.sector, attempts.entry_id
from (
    select
        outcomes.*,
        row_number() over (
            partition by ticker, target, date order by revision desc
        ) as place
    from outcomes
) as attempts
left join stocks on stocks.ticker = attempts.ticker
where attempts.place = 1 and {is_known};
