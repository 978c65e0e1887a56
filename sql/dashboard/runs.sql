-- Runs of a target.
select
    run_id, status, started_at, wall_s, selected, trained, failed, skipped, stocks_per_s,
    peak_rss_mb, workers, preset, as_of
from v_runs
where target = $target
