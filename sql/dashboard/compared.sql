-- Scores of the forecasters of two backtests, side by side.
select
    this.forecaster,
    this.mse_vs_zero, other.mse_vs_zero as other_mse_vs_zero,
    other.mse_vs_zero - this.mse_vs_zero as more_mse,
    this.ic, other.ic as other_ic, other.ic - this.ic as more_ic,
    this.crps_vs_zero, other.crps_vs_zero as other_crps_vs_zero,
    this.coverage_80 as in_80, other.coverage_80 as other_in_80
from backtest_scores as this
inner join backtest_scores as other
    on other.forecaster = this.forecaster and other.slice = this.slice and other.part = this.part
where this.backtest_id = $backtest_id and other.backtest_id = $other and this.slice = 'all'
order by this.forecaster
