-- A stock's status.
select * from v_status where target = $target and ticker = $ticker
