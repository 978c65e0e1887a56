-- Each stock's labels known before $anchor, counted, and its typical move as known on several
-- days: NULL where it had too few labels then.
select count(*) as n {moves}
from targets
where target = $target and label_end < $anchor::date
group by ticker
order by ticker
