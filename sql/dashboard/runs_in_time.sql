-- What each run did, by the time at which it began.
select started_at, trained, failed, skipped from v_runs where target = $target
