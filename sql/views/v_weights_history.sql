-- {history}: the ledger, with what was moved to the archive.
-- One row per member of each trained entry, whether it is in use or not: how a stock's weights
-- have changed from cutoff to cutoff.
create or replace view v_weights_history as
select
    made.ticker, made.target, made.cutoff, made.finished_at,
    unnest(made.members) as member,
    unnest(made.weights) as weight,
    unnest(made.oof_log_scores) as oof_log_score,
    unnest(made.oof_rmses) as oof_rmse,
    unnest(made.scales) as scale,
    unnest(made.member_errors) as member_error,
    coalesce(made.entry_id = standings.current_entry, false) as is_current,
    made.attempt, made.run_id, made.entry_id, stocks.sector
from {history} as made
left join standings on standings.ticker = made.ticker and standings.target = made.target
left join stocks on stocks.ticker = made.ticker;
