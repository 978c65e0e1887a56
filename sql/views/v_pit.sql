-- One row per forecaster, slice and tenth of the predictive distributions: the share of targets
-- that fell into it, in the newest backtest and live. All are .1 where forecasts are honest.
create or replace view v_pit as
select
    tested.target, 'backtest' as source, tested.slice, tested.part, tested.forecaster, tenths.bin,
    split_part(translate(tested.pit, '[] ', ''), ',', tenths.bin)::double precision as share,
    tested.n_rows
from v_backtest as tested
cross join (select generate_series as bin from generate_series(1, 10)) as tenths
union all
select
    target, 'live' as source, 'all' as slice, 'all' as part, forecaster, bin,
    avg(case when least(floor(pit * 10), 9) + 1 = bin then 1.0 else 0.0 end)::double precision
        as share,
    count(*)::integer as n_rows
from (
    select target, 'ensemble' as forecaster, pit from v_outcomes
    union all
    select target, 'zero', zero_pit from v_outcomes where zero_pit is not null
) as came
cross join (select generate_series as bin from generate_series(1, 10)) as tenths
group by target, forecaster, bin;
