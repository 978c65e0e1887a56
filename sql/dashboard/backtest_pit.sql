-- Where targets fell in the predictive distributions of a forecaster.
select
    generate_subscripts(shares, 1) as bin,
    unnest(shares) as share
from (
    select pit::json::double[] as shares
    from backtest_scores
    where backtest_id = $backtest_id and forecaster = $forecaster and slice = 'all'
)
