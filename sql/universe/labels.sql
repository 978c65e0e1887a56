-- Labels known before $anchor, of stocks with at least $least of them, counted; and the
-- median over those stocks of their typical move.
select coalesce(sum(n), 0)::bigint, count(*), median(move)
from (
    select count(*) as n, median(abs(value)) as move
    from targets
    where target = $target and label_end < $anchor::date
    group by ticker
    having n >= $least
)
