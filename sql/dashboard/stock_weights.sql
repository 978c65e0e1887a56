-- A stock's weights by entry.
select finished_at, member, weight
from v_weights_history
where target = $target and ticker = $ticker
