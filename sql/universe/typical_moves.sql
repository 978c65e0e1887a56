-- Of the stocks from $first to before $below (NULL: to the last), each one's labels known before
-- $anchor, counted, and its typical move as known on several days: NULL where it had too few labels
-- then.
select count(*) as n {moves}
from targets
where
    target = $target
    and label_end < $anchor::date
    and ticker >= $first
    and ($below::varchar is null or ticker < $below)
group by ticker
order by ticker
