-- What the labels that have changed are now.
select distinct targets.ticker, targets.target, targets.date, targets.value as actual,
    targets.label_end
from relabelled
inner join targets
    on targets.ticker = relabelled.ticker
    and targets.target = relabelled.target
    and targets.date = relabelled.date
order by targets.ticker, targets.target, targets.date
