-- Preset of the last run of a target that had a time budget.
select preset
from runs
where target = $target and time_per_stock = $time_per_stock
order by started_at desc
limit 1
