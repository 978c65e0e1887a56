-- Everything that is known of one stock's status: the inputs now, and those of its last entry.
select
    v_status.*,
    series.digest as data_digest_now,
    newest.* exclude (
        ticker, target, status, n_rows, last_date, error_type, error_message, cause, members,
        weights, oof_log_scores, oof_rmses, scales, rounds, member_errors
    ),
    newest.status as last_status,
    newest.cause as last_cause,
    v_status.n_rows - newest.n_rows as new_labels,
    last_run.stale_after,
    last_run.config_hash as config_hash_now,
    last_run.code_version as code_version_now
from v_status
inner join series on series.ticker = v_status.ticker and series.target = v_status.target
left join standings
    on standings.ticker = v_status.ticker and standings.target = v_status.target
left join ledger as newest
    on newest.entry_id = standings.newest_entry and newest.finished_at = standings.newest_at
left join v_runs as last_run on last_run.target = v_status.target
where v_status.ticker = $ticker
qualify row_number() over (
    partition by v_status.target order by last_run.started_at desc
) = 1
