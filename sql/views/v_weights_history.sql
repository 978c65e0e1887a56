-- One row per member of each trained entry, whether it is in use or not: how a stock's weights
-- have changed from cutoff to cutoff.
create or replace view v_weights_history as
select
    made.ticker, made.target, made.cutoff, made.finished_at, weights.member, weights.weight,
    weights.oof_log_score, weights.oof_rmse, weights.scale, made.is_current, made.attempt,
    made.run_id, made.entry_id
from weights
inner join v_attempts as made on made.entry_id = weights.entry_id
order by made.target, made.ticker, made.cutoff, made.attempt, weights.member;
