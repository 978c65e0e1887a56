-- One row per stock with a trained ensemble, the slowest fit first (CPU seconds).
create or replace view v_slowest as
select ticker, fit_s, n_rows, trained_at, preset, target, entry_id, sector
from v_latest
order by fit_s desc;
