-- One row per forecaster, slice and central interval: the share of targets that it should hold,
-- and the share that it held, in the newest backtest and live.
create or replace view v_calibration as
select target, 'backtest' as source, slice, part, forecaster, nominal, held, n_rows
from (
    select target, slice, part, forecaster, 0.5::double precision as nominal, coverage_50 as held,
        n_rows
    from v_backtest
    union all
    select target, slice, part, forecaster, 0.8::double precision, coverage_80, n_rows
    from v_backtest
    union all
    select target, slice, part, forecaster, 0.9::double precision, coverage_90, n_rows
    from v_backtest
) as tested
union all
select
    target, 'live' as source, 'all' as slice, 'all' as part, forecaster, nominal,
    sum(held * stocks) / sum(stocks) as held,
    sum(stocks)::integer as n_rows
from (
    select
        target, stocks, 'ensemble' as forecaster,
        unnest(array[0.5, 0.8, 0.9])::double precision as nominal,
        unnest(array[coverage_50, coverage_80, coverage_90]) as held
    from outcome_days
    union all
    select
        target, stocks, 'zero' as forecaster,
        unnest(array[0.5, 0.8, 0.9])::double precision as nominal,
        unnest(array[zero_coverage_50, zero_coverage_80, zero_coverage_90]) as held
    from outcome_days
) as came
where held is not null
group by target, forecaster, nominal;
