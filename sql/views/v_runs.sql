-- One row per training pass, newest last.
create or replace view v_runs as
select
    run_id, status, started_at, finished_at, selected, trained, failed, skipped,
    wall_s, peak_rss_mb, fit_cpu_s, workers, preset, target, horizon, as_of, time_per_stock, max_age,
    only_forecast, stale_after,
    trained / nullif(wall_s, 0) as stocks_per_s,
    config_hash, code_version, config
from runs
order by started_at;
