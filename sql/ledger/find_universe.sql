-- Artifact of the newest universe of a config, code and anchor.
select artifact_sha256
from universes
where target = $target
    and config_hash = $config_hash
    and code_version = $code_version
    and anchor = $anchor
order by finished_at desc
limit 1
