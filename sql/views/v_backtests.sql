-- One row per backtest, newest last; is_newest marks the newest of its target.
create or replace view v_backtests as
select
    backtest_id, target, horizon, started_at, finished_at, as_of, cutoffs, every, n_stocks, preset,
    config_hash, code_version, config,
    row_number() over (partition by target order by finished_at desc) = 1 as is_newest
from backtests
order by finished_at;
