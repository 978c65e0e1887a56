-- One run.
select * exclude (config) from v_runs where run_id = $run_id
