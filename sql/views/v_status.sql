-- One row per stock: its status now and, where it waits to be trained, the cause. What an
-- entry was made from is compared with the stock's data now, and with config and code of the
-- target's last run that was no look back; {changed} holds a branch for each of these, as the pass
-- itself has them. Rows that came after a trained entry are let pass until that run's number of
-- labels has come. A trained stock waits too if its intervals were found to hold no longer since
-- (decay), or if its entry is older than that run allowed (age).
create or replace view v_status as
with last_run as (
    select * from (
        select
            target, config_hash, code_version, max_age, stale_after,
            row_number() over (
                partition by target order by coalesce(as_of, date '9999-12-31') desc, started_at desc
            ) as age
        from runs
    ) as passes
    where age = 1
),

now as (
    select
        series.ticker, series.target, series.n_rows, series.last_date,
        series.digest as data_digest, series.history_since, last_run.config_hash,
        last_run.code_version, last_run.max_age, last_run.stale_after
    from series
    left join last_run on last_run.target = series.target
),

compared as (
    select
        now.ticker, now.target, now.n_rows, now.last_date,
        standings.current_at as trained_at, newest.status as last_status,
        newest.error_type, newest.error_message,
        case
            when newest.entry_id is null then 'new'
            {changed}
            when newest.status <> 'trained' then null
            when exists (
                select 1 from decays
                where decays.ticker = now.ticker
                    and decays.target = now.target
                    and decays.marked_at > newest.finished_at
            ) then 'decay'
            when newest.finished_at
                < (current_timestamp at time zone 'UTC') - now.max_age * interval '1 day'
                then 'age'
        end as cause
    from now
    left join standings
        on standings.ticker = now.ticker and standings.target = now.target
    left join ledger as newest
        on newest.entry_id = standings.newest_entry and newest.finished_at = standings.newest_at
)

select
    compared.ticker,
    case
        when cause is null then last_status
        when trained_at is null then 'pending'
        else 'stale'
    end as status,
    cause, n_rows, last_date, trained_at, error_type, error_message, target, stocks.sector
from compared
left join stocks on stocks.ticker = compared.ticker;
