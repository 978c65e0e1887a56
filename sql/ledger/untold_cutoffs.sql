-- Cutoffs of a run's ensembles, and newer ones than were ever told of, whose run was killed.
select distinct cutoff
from ledger
where
    target = $target
    and status = 'trained'
    and (
        run_id = $run_id
        or cutoff > (select max(cutoff) from member_days where target = $target)
    )
