-- Where targets fell in the predictive distributions of the ensemble.
select bin, share
from v_pit
where target = $target and source = 'live' and forecaster = 'ensemble'
order by bin
