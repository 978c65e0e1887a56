-- Put the labels that the prices now give in place of those they gave before.
delete from main.targets
using spans
where targets.ticker = spans.ticker
    and targets.date >= spans.label_from
    and targets.target = $target;

insert into main.targets (ticker, date, target, horizon, value, label_end)
select computed.ticker, computed.date, $target, $horizon, computed.target, computed.label_end
from computed
inner join spans on spans.ticker = computed.ticker and computed.date >= spans.label_from
where isfinite(computed.target) and computed.label_end is not null;
