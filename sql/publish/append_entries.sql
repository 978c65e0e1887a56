-- Add the entries that published results lack, and what they forecast, which takes the place of
-- older forecasts of the same stock and date. {ledger}, {predictions}: where these are; entries
-- that ended before $since are published.
create or replace temp table new_entries as
select entry_id
from {ledger} as made
where made.finished_at >= $since
    and made.entry_id not in (
        select entry_id from published.ledger where finished_at >= $since
    );

insert into published.ledger by name
select made.*
from {ledger} as made
semi join new_entries using (entry_id)
where made.finished_at >= $since;

create or replace temp table new_forecasts as
from {predictions} as made semi join new_entries using (entry_id);

delete from published.predictions
using new_forecasts
where new_forecasts.ticker = predictions.ticker
    and new_forecasts.target = predictions.target
    and new_forecasts.date = predictions.date
    and predictions.date >= (select min(date) from new_forecasts);

insert into published.predictions by name from new_forecasts;

drop table new_entries;

drop table new_forecasts;
