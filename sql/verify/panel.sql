-- What the panel promises, and how many rows break it, with an example of them.
select relation, problem, count(*) as n, min(example) as example
from (
    select 'prices' as relation, 'several rows of a stock and date' as problem, ticker as example
    from prices
    group by ticker, date
    having count(*) > 1
    union all
    select 'prices', 'closes that are no numbers', ticker
    from prices
    where not isfinite(close)
    union all
    select 'features', 'several rows of a stock and date', ticker
    from features
    group by ticker, date
    having count(*) > 1
    union all
    select 'targets', 'several labels of a stock, date and target', ticker
    from targets
    group by ticker, date, target
    having count(*) > 1
    union all
    select 'targets', 'labels that are no numbers, or known before their date', ticker
    from targets
    where not isfinite(value) or label_end < date
    union all
    select 'targets', 'targets of several horizons', target
    from targets
    group by target
    having count(distinct horizon) > 1
    union all
    select 'series', 'several rows of a stock and target', ticker
    from series
    group by ticker, target
    having count(*) > 1
    union all
    select 'folds', 'folds with more or fewer predictions than rows', ticker
    from folds
    where len(predictions) <> len(dates) * len(members) or len(dates) <> n_test
) as broken
group by relation, problem
order by relation, problem
