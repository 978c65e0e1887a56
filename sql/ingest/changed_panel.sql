-- The input's rows that are new, or differ from those in the store, in features or target.
create or replace temp table changed as
select
    incoming.*,
    features.ticker is not null as is_revision,
    targets.value is distinct from incoming.y as is_relabelled
from incoming
left join main.features on features.ticker = incoming.ticker and features.date = incoming.date
left join main.targets
    on targets.ticker = incoming.ticker
    and targets.date = incoming.date
    and targets.target = $target
where features.ticker is null
    or targets.value is distinct from incoming.y
    or row({incoming_features}) is distinct from row({stored_features})
