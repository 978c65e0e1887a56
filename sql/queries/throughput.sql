-- How fast each pass went, and how well it used its workers.
select
    run_id, started_at, selected, trained, wall_s,
    selected / nullif(wall_s, 0) as stocks_per_s,
    fit_cpu_s / nullif(wall_s * workers, 0) as share_of_time_fitting,
    peak_rss_mb
from v_runs
order by started_at desc;
