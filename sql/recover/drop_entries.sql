-- Remove the entries of some stocks that were made from what they would be made from again, given
-- as lists of one value per stock: so they are trained again. No history goes on from their older
-- entries, whose ensembles are gone too.
create or replace temp table lost as
select
    unnest($ticker::varchar[]) as ticker,
    unnest($target::varchar[]) as target,
    unnest($data_digest::varchar[]) as data_digest,
    unnest($config_hash::varchar[]) as config_hash,
    unnest($code_version::varchar[]) as code_version;

create or replace temp table dropped as
select entry_id
from ledger
semi join lost using (ticker, target, data_digest, config_hash, code_version);

delete from predictions where entry_id in (from dropped);

delete from ledger where entry_id in (from dropped);

update ledger set history_since = null where (ticker, target) in (select (ticker, target) from lost);

drop table dropped;

drop table lost;
