-- Backtests of the same target but one, newest first.
select other.backtest_id, other.finished_at
from v_backtests as other
inner join v_backtests as this on this.target = other.target
where this.backtest_id = $backtest_id and other.backtest_id <> $backtest_id
order by other.finished_at desc
limit 50
