-- Prior weight of each member, by the day before which everything in its universe was known.
select anchor, member, prior_weight
from v_universe
where target = $target
qualify row_number() over (partition by anchor, member order by finished_at desc) = 1
