-- The newest attempt at each stock of a target, with the artifact of its current ensemble.
select
    newest.ticker, newest.status, newest.cutoff, newest.attempts, newest.finished_at,
    exists (
        select 1 from decays
        where decays.ticker = newest.ticker
            and decays.target = newest.target
            and decays.marked_at > newest.finished_at
    ) as has_decayed,
    newest.data_digest, newest.config_hash, newest.code_version,
    current.artifact_sha256 as current_artifact
from v_attempts as newest
left join v_attempts as current
    on current.ticker = newest.ticker and current.target = newest.target and current.is_current
where newest.target = $target and newest.age = 1
