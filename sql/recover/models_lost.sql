-- Stocks whose current ensemble, or the universe that it needs, is not among the files.
select distinct ticker, target, data_digest, config_hash, code_version
from v_attempts
where
    is_current
    and (
        artifact_sha256 not in (select unnest($files::varchar[]))
        or universe_sha256 not in (select unnest($files::varchar[]))
    )
order by all
