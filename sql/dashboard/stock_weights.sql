-- A stock's weights by entry.
select finished_at, unnest(members) as member, unnest(weights) as weight
from ledger
where target = $target and ticker = $ticker
