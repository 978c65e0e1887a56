-- The artifact of a cutoff that a backtest of the same inputs has finished.
select artifact_sha256
from backtest_cutoffs
where inputs_digest = $inputs_digest
order by finished_at desc
limit 1
