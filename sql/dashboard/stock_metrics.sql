-- Metrics of a stock's ensemble.
select name, value from v_metrics where target = $target and ticker = $ticker order by name
