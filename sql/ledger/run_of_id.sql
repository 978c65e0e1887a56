-- The run of an id, if there is one.
select run_id from runs where run_id = $run_id
