-- Put the labels that the prices now give in place of those they gave before, and note which
-- are others than before.
insert into main.relabelled (ticker, target, date)
select computed.ticker, computed.target, computed.date
from computed_targets as computed
inner join main.targets as known
    on known.ticker = computed.ticker
    and known.target = computed.target
    and known.date = computed.date
{in_spans}
where known.value <> computed.value;

delete from main.targets
using spans
where targets.ticker = spans.ticker
    and targets.date >= spans.label_from
    and targets.target in (select unnest($targets::varchar[]));

insert into main.targets (ticker, date, target, horizon, value, label_end)
select
    computed.ticker, computed.date, computed.target, computed.horizon, computed.value,
    computed.label_end
from computed_targets as computed
{in_spans};
