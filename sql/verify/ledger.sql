-- What the ledger promises, and how many rows break it, with an example of them. {told}: which
-- entries count, as the ledger tells; {history}: the ledger, with what was moved to the archive.
with told as ({told}),

kept as (
    select
        ticker, target, newest_entry, newest_at, current_entry, current_at, attempts, forecast_date,
        forecast_at
    from standings
)

select relation, problem, count(*) as n, min(example) as example
from (
    select 'ledger' as relation, 'entries with one id' as problem, entry_id as example
    from ledger
    group by entry_id
    having count(*) > 1
    union all
    select 'runs', 'runs with one id', run_id
    from runs
    group by run_id
    having count(*) > 1
    union all
    select 'ledger', 'entries of a run that there is not', ticker
    from ledger
    where run_id not in (select run_id from runs)
    union all
    select 'ledger', 'entries of an unknown status', ticker
    from ledger
    where status not in ('trained', 'failed', 'skipped')
    union all
    select 'ledger', 'failed or skipped entries without a reason', ticker
    from ledger
    where status <> 'trained' and error_type is null
    union all
    select 'ledger', 'entries that ended before they began', ticker
    from ledger
    where finished_at < started_at
    union all
    select 'ledger', 'trained entries whose weights do not sum to one', ticker
    from ledger
    where status = 'trained' and not coalesce(abs(list_sum(weights) - 1) < 1e-5, false)
    union all
    select 'standings', 'stocks that stand for other entries than the ledger says', ticker
    from (
        (from told except from kept)
        union all
        (from kept except from told)
    ) as different
    union all
    select 'ensembles', 'ensembles that are not in use', ticker
    from ensembles
    where entry_id not in (select current_entry from standings where current_entry is not null)
    union all
    select 'ensembles', 'stocks with several rows', ticker
    from ensembles
    group by ticker, target
    having count(*) > 1
    union all
    select 'predictions', 'ensembles in use without a forecast', ticker
    from standings
    where current_entry is not null
        and current_entry not in (select entry_id from predictions)
    union all
    select 'predictions', 'several forecasts of a stock and date', ticker
    from predictions
    group by ticker, target, date
    having count(*) > 1
    union all
    select 'predictions', 'forecasts whose quantiles are out of order', ticker
    from predictions
    where not (sd >= 0 and q05 <= q25 and q25 <= q50 and q50 <= q75 and q75 <= q95)
    union all
    select 'outcomes', 'outcomes with one stock, date and revision', ticker
    from outcomes
    group by ticker, target, date, revision
    having count(*) > 1
    union all
    select 'outcomes', 'outcomes whose label was known when they were forecast', ticker
    from outcomes
    where revision = 0 and label_end <= known_until
    union all
    select 'predictions', 'rows of no entry', ticker
    from predictions
    where entry_id not in (select entry_id from {history} as entries)
    union all
    select 'universes', 'universes whose prior weights do not sum to one', target
    from universes
    group by universe_id, target
    having not abs(sum(prior_weight) - 1) < 1e-9
    union all
    select 'backtest_scores', 'rows of no backtest', forecaster
    from backtest_scores
    where backtest_id not in (select backtest_id from backtests)
) as broken
group by relation, problem
order by relation, problem
