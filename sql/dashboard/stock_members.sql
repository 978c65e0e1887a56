-- Members of a stock's ensemble.
select member, weight, oof_log_score, oof_rmse, scale
from v_weights
where target = $target and ticker = $ticker
order by weight desc, member
