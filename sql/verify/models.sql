-- The file of each ensemble in use; NULL where it is lost, and only an older entry is left.
select ticker, artifact_sha256 from v_latest
union all
select distinct ticker, null
from v_weights
where (ticker, target) not in (select (ticker, target) from v_latest)
order by all
