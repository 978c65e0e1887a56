-- Stocks whose current ensemble, or the universe that it needs, is not among the files.
select distinct ledger.ticker, ledger.target, ledger.data_digest, ledger.config_hash,
    ledger.code_version
from ledger
left join ensembles
    on ensembles.ticker = ledger.ticker and ensembles.target = ledger.target
    and ensembles.entry_id = ledger.entry_id
where
    ledger.entry_id in (select current_entry from standings)
    and (
        ensembles.artifact_sha256 is null
        or ensembles.artifact_sha256 not in (select unnest($files::varchar[]))
        or ledger.universe_sha256 not in (select unnest($files::varchar[]))
    )
order by all
