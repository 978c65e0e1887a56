-- One row per member of a stock's newest trained ensemble. Scores are out of fold: the mean
-- log density of the targets, and the root mean square error.
create or replace view v_weights as
select
    v_latest.ticker, weights.entry_id, weights.member, weights.weight,
    weights.oof_log_score, weights.oof_rmse, weights.scale, v_latest.target
from weights
inner join v_latest on v_latest.entry_id = weights.entry_id;
