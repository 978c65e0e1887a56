-- How new the results of a target are, and what its last run does.
select * from v_freshness where target = $target
