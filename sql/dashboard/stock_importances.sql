-- What the splits of a stock's members have gained by feature: of those twenty features that weigh
-- most in its ensemble, the heaviest first.
select found.feature, found.member, used.weight, found.share,
    sum(used.weight * found.share) over (partition by found.feature) as weighted
from v_importances as found
inner join v_weights as used
    on used.ticker = found.ticker and used.target = found.target and used.member = found.member
where found.target = $target and found.ticker = $ticker
qualify dense_rank() over (order by weighted desc, found.feature) <= 20
order by weighted desc, found.feature, used.weight desc, found.member
