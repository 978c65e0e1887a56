-- Add the entries that published results lack, and new forecasts, which take the place of older
-- ones of the same stock and date. {ledger}, {predictions}: where these are; entries that ended
-- before $ended, and forecasts that were made before $made, are published.
insert into published.ledger by name
select made.*
from {ledger} as made
where made.finished_at >= $ended
    and made.entry_id not in (
        select entry_id from published.ledger where finished_at >= $ended
    );

create or replace temp table new_forecasts as
from {predictions} as made
where made.made_at >= $made
    and (made.entry_id, made.date, made.made_at) not in (
        select (entry_id, date, made_at) from published.predictions where made_at >= $made
    );

delete from published.predictions
using new_forecasts
where new_forecasts.ticker = predictions.ticker
    and new_forecasts.target = predictions.target
    and new_forecasts.date = predictions.date
    and predictions.date >= (select min(date) from new_forecasts);

insert into published.predictions by name from new_forecasts;

drop table new_forecasts;
