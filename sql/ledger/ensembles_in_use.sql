-- Artifacts of the ensembles in use for some targets, of all stocks or (unless NULL) of $tickers.
select target, ticker, artifact_sha256, universe_sha256
from v_latest
where
    target in (select unnest($targets::varchar[]))
    and ($tickers::varchar[] is null or ticker in (select unnest($tickers::varchar[])))
order by all
