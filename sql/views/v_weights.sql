-- One row per member of a stock's newest trained ensemble. Scores are out of fold: the mean
-- log density of the targets, and the root mean square error.
-- member_error says why a member has failed on the stock.
-- What the panel has forgotten is history, and left out: it has no series.
create or replace view v_weights as
select
    found.ticker, made.entry_id,
    unnest(made.members) as member,
    unnest(made.weights) as weight,
    unnest(made.oof_log_scores) as oof_log_score,
    unnest(made.oof_rmses) as oof_rmse,
    unnest(made.scales) as scale,
    unnest(made.member_errors) as member_error,
    found.target, stocks.sector
from standings as found
inner join series
    on series.ticker = found.ticker and series.target = found.target
inner join ledger as made
    on made.entry_id = found.current_entry and made.finished_at = found.current_at
left join stocks on stocks.ticker = found.ticker;
