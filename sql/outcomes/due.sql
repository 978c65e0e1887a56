-- Awaited forecasts whose label has come, and whether that was not known when they were made.
select awaited.*, targets.value as actual, targets.label_end,
    targets.label_end > awaited.known_until as is_ahead
from awaited
inner join targets
    on targets.ticker = awaited.ticker
    and targets.target = awaited.target
    and targets.date = awaited.date
order by awaited.ticker, awaited.target, awaited.date
