-- Stocks with history enough for all members before $anchor: what lists later is none of them.
select ticker
from targets
where target = $target and label_end < $anchor::date
group by ticker
having count(*) >= $fewest
order by ticker
