-- The newest run.
select * exclude (config) from v_runs order by started_at desc limit 1
