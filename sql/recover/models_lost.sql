-- Stocks whose current ensemble, or the universe that it needs, is not among the files.
select distinct ticker, target, data_digest, config_hash, code_version
from ledger
where
    entry_id in (select current_entry from standings)
    and (
        artifact_sha256 not in (select unnest($files::varchar[]))
        or universe_sha256 not in (select unnest($files::varchar[]))
    )
order by all
