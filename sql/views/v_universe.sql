-- One row per member of a universe: what stocks borrowed from each other as of its anchor
-- date, newest universe last.
create or replace view v_universe as
select
    universe_id, run_id, target, anchor, finished_at, n_rows, n_stocks, fit_s, member,
    prior_weight, advantage, spread, config_hash, code_version, artifact_sha256
from universes
order by finished_at, member;
