-- One row per metric of a stock's newest trained ensemble.
create or replace view v_metrics as
select v_latest.ticker, metrics.entry_id, metrics.name, metrics.value, v_latest.target
from metrics
inner join v_latest on v_latest.entry_id = metrics.entry_id;
