-- CPU seconds of the fits per stock in the last run of a preset that trained any.
select fit_cpu_s / trained as seconds
from runs
where target = $target and preset = $preset and trained > 0 and fit_cpu_s > 0
order by started_at desc
limit 1
