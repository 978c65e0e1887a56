-- One row per target: how new what is shown is. published_at is known in published results alone;
-- stocks behind are those whose newest row is older than the newest of any stock.
create or replace view v_freshness as
with newest as (
    select
        target, ticker, last_date,
        max(last_date) over (partition by target) as newest_date
    from series
),

last_run as (
    select *
    from (
        select runs.*, row_number() over (partition by target order by started_at desc) as age
        from runs
    ) as passes
    where age = 1
)

select
    newest.target,
    (select max(value) from meta where name = 'published_at')::timestamp as published_at,
    max(newest.newest_date) as newest_date,
    count(*) as stocks,
    count(*) filter (where newest.last_date < newest.newest_date) as stocks_behind,
    max(last_run.run_id) as last_run,
    max(last_run.started_at) as last_run_started_at,
    max(last_run.finished_at) as last_run_finished_at,
    max(last_run.status) as last_run_status,
    coalesce(max(last_run.status) = 'running', false) as is_running,
    max(last_run.trained + last_run.failed + last_run.skipped) as done,
    max(last_run.selected) as selected
from newest
left join last_run on last_run.target = newest.target
group by newest.target
order by newest.target;
