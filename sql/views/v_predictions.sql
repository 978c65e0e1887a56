-- The newest forecast of each stock and date.
-- What the panel has forgotten is history, and left out: it has no series.
create or replace view v_predictions as
select
    found.ticker, found.date, found.target, found.mean, found.sd, found.q05, found.q25, found.q50,
    found.q75, found.q95, found.p_up, found.entry_id, found.made_at,
    stocks.sector
from predictions as found
inner join series
    on series.ticker = found.ticker and series.target = found.target
left join stocks on stocks.ticker = found.ticker;
