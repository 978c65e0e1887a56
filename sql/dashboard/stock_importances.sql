-- What the splits of a stock's members have gained by feature: of those twenty features that weigh
-- most in its ensemble, the heaviest first.
with found as (
    select one.feature, one.member, one.share, used.weight,
        sum(used.weight * one.share) over (partition by one.feature) as weighted
    from v_importances as one
    inner join v_weights as used
        on used.ticker = one.ticker and used.target = one.target and used.member = one.member
    where one.target = $target and one.ticker = $ticker
)

select feature, member, share
from found
qualify dense_rank() over (order by weighted desc, feature) <= 20
order by weighted desc, feature, weight desc, member
