-- Of the registered rows new_forecasts, keep those whose label is not known and that nobody has
-- forecast before.
insert into awaited by name
select made.*
from new_forecasts as made
anti join targets
    on targets.ticker = made.ticker
    and targets.target = made.target
    and targets.date = made.date
anti join awaited
    on awaited.ticker = made.ticker
    and awaited.target = made.target
    and awaited.date = made.date
