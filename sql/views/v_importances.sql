-- One row per stock with a trained ensemble, member with weight, and feature: the share of the
-- feature in what the splits of the member's trees have gained, which sums to 1 per member.
-- The pooled member's are those of its universe, and the same for all its stocks.
create or replace view v_importances as
select used.ticker, used.target, used.member, own.feature, own.share, used.sector
from v_weights as used
inner join (
    select
        ticker, target, entry_id,
        unnest(members) as member, unnest(features) as feature, unnest(shares) as share
    from ensembles
    where members is not null
) as own
    on own.ticker = used.ticker and own.target = used.target
    and own.entry_id = used.entry_id and own.member = used.member
where used.weight > 0
union all
select used.ticker, used.target, used.member, pooled.feature, pooled.share, used.sector
from v_weights as used
inner join v_latest as made
    on made.ticker = used.ticker and made.target = used.target
inner join (
    select
        artifact_sha256, member, unnest(features) as feature, unnest(shares) as share
    from (
        select distinct artifact_sha256, member, features, shares
        from universes
        where features is not null
    ) as once
) as pooled
    on pooled.artifact_sha256 = made.universe_sha256 and pooled.member = used.member
where used.weight > 0;
