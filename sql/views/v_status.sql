-- One row a stock: its status now and, where it waits to be trained, the cause.
-- Config and code are compared with those of the target's last run. The rule is
-- that of bmastore.ledger.classify.
create or replace view v_status as
with newest as (
    select * from (
        select
            *, row_number() over (partition by ticker, target order by attempt desc) as age
        from ledger
    ) as attempts
    where age = 1
),

last_run as (
    select * from (
        select
            target, config_hash, code_version,
            row_number() over (partition by target order by started_at desc) as age
        from runs
    ) as passes
    where age = 1
),

compared as (
    select
        series.ticker, series.target, series.n_rows, series.last_date,
        v_latest.trained_at, newest.status as last_status,
        newest.error_type, newest.error_message,
        case
            when newest.entry_id is null then 'new'
            when newest.data_digest <> series.digest then 'data'
            when newest.config_hash <> last_run.config_hash then 'config'
            when newest.code_version <> last_run.code_version then 'code'
        end as cause
    from series
    left join newest on newest.ticker = series.ticker and newest.target = series.target
    left join v_latest on v_latest.ticker = series.ticker and v_latest.target = series.target
    left join last_run on last_run.target = series.target
)

select
    ticker,
    case
        when cause is null then last_status
        when trained_at is null then 'pending'
        else 'stale'
    end as status,
    cause, n_rows, last_date, trained_at, error_type, error_message, target
from compared;
