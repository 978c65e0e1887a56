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
    avg(case when abs(pit - 0.5) <= nominal / 2 then 1.0 else 0.0 end)::double precision as held,
    count(*)::integer as n_rows
from (
    select target, 'ensemble' as forecaster, pit from v_outcomes
    union all
    select target, 'zero', zero_pit from v_outcomes where zero_pit is not null
) as came
cross join (
    select 0.5::double precision as nominal
    union all
    select 0.8::double precision
    union all
    select 0.9::double precision
) as intervals
group by target, forecaster, nominal;
