-- A run begins.
insert into runs (
    run_id, status, started_at, target, horizon, as_of, time_per_stock, max_age, stale_after, preset,
    config_hash, config, code_version, workers, selected, trained, failed, skipped,
    only_forecast
)
values (
    $run_id, 'running', $started_at, $target, $horizon, $as_of, $time_per_stock, $max_age,
    $stale_after, $preset, $config_hash, $config, $code_version, $workers, $selected, 0, 0, 0, 0
)
