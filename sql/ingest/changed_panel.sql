-- The input's rows that are new, or differ from those in the store, in features or targets.
create or replace temp table changed as
select
    incoming.*,
    features.ticker is not null as is_revision,
    {relabelled}
from incoming
left join main.features on features.ticker = incoming.ticker and features.date = incoming.date
{joins}
where features.ticker is null
    or {any_relabelled}
    or row({incoming_features}) is distinct from row({stored_features})
