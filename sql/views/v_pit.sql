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
    sum(came)::double precision / sum(sum(came)) over (partition by target, forecaster) as share,
    (sum(sum(came)) over (partition by target, forecaster))::integer as n_rows
from (
    select
        target, 'ensemble' as forecaster,
        unnest(array[1, 2, 3, 4, 5, 6, 7, 8, 9, 10]) as bin,
        unnest(pits) as came
    from outcome_days
    union all
    select
        target, 'zero' as forecaster,
        unnest(array[1, 2, 3, 4, 5, 6, 7, 8, 9, 10]) as bin,
        unnest(zero_pits) as came
    from outcome_days
    where zero_coverage_50 is not null
) as days
group by target, forecaster, bin;
