-- The date on which each row's label became known: the horizon's rows later. Where those rows
-- are not there, it is k weekdays after the stock's last row, which no k weekdays exceed:
-- k + 2 ceil(k / 5) days.
create or replace temp table labels as
select
    ticker,
    date,
    coalesce(label_end, last_date + (beyond + 2 * ceil(beyond / 5.0))::integer) as label_end
from (
    select
        ticker,
        date,
        lead(date, $horizon) over history as label_end,
        max(date) over stock as last_date,
        $horizon - count(*) over stock + row_number() over history as beyond
    from main.features
    where ticker in (select ticker from touched)
    window
        history as (partition by ticker order by date),
        stock as (partition by ticker)
);

insert into main.relabelled (ticker, target, date)
select targets.ticker, targets.target, targets.date
from main.targets
inner join changed on changed.ticker = targets.ticker and changed.date = targets.date
where changed.{relabelled} and targets.target = $target;

delete from main.targets
using changed
where changed.{relabelled}
    and targets.ticker = changed.ticker
    and targets.date = changed.date
    and targets.target = $target;

insert into main.targets (ticker, date, target, horizon, value, label_end)
select changed.ticker, changed.date, $target, $horizon, changed.{y}, labels.label_end
from changed
inner join labels on labels.ticker = changed.ticker and labels.date = changed.date
where changed.{relabelled} and changed.{y} is not null;

update main.targets
set label_end = labels.label_end
from labels
where targets.ticker = labels.ticker
    and targets.date = labels.date
    and targets.target = $target
    and targets.label_end <> labels.label_end;
