-- How far a run has come, or that it has ended.
update runs
set
    status = $status,
    finished_at = $finished_at,
    trained = $trained,
    failed = $failed,
    skipped = $skipped,
    only_forecast = $only_forecast,
    fit_cpu_s = $fit_cpu_s,
    wall_s = $wall_s,
    peak_rss_mb = $peak_rss_mb
where run_id = $run_id
