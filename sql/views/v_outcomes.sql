-- One row per stock, target and date whose label has come: the forecast as it was first made before
-- the label was known, what came, and its scores beside those of the null member `zero`.
-- {revised}: joins the next revision of the label, if there is one.
-- What the panel has forgotten is history, and left out: it has no series.
create or replace view v_outcomes as
select
    found.ticker, found.date, found.target, found.label_end, found.made_at, found.settled_at,
    found.revision, found.mean, found.sd, found.q05, found.q25, found.q50, found.q75, found.q95,
    found.p_up, found.actual, found.actual - found.mean as error, found.pit, found.crps,
    found.log_score, found.zero_pit, found.zero_crps, found.zero_log_score, stocks.sector,
    found.entry_id
from outcomes as found
inner join series
    on series.ticker = found.ticker and series.target = found.target
left join stocks on stocks.ticker = found.ticker
{revised}
where revised.entry_id is null;
