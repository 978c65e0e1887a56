-- One row per member and cutoff of each target's newest backtest: its mean weight over stocks.
create or replace view v_backtest_weights as
select
    newest.target, weights.cutoff, weights.member, weights.weight, weights.n_stocks,
    newest.backtest_id
from backtest_weights as weights
inner join v_backtests as newest on newest.backtest_id = weights.backtest_id
where newest.is_newest;
