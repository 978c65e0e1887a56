-- Hashes of the artifacts that current ensembles, the newest universe of each target, and the
-- finished cutoffs of backtests that are not done refer to.
select artifact_sha256 from ensembles
union
select universe_sha256
from ledger
where entry_id in (select current_entry from standings) and universe_sha256 is not null
union
select artifact_sha256
from (
    select
        artifact_sha256,
        rank() over (partition by target order by anchor desc, finished_at desc) as age
    from universes
) as made
where age = 1
union
select artifact_sha256
from backtest_cutoffs as done
where not exists (
    select 1 from backtests
    where backtests.target = done.target and backtests.finished_at >= done.finished_at
)
