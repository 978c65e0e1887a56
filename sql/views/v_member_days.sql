-- One row per target, cutoff and member: its weight over the stocks that were trained as of that
-- date (of several entries of a stock, the last one), in how many it leads, and how it forecast
-- out of fold.
create or replace view v_member_days as
with entries as (
    select entry_id, target, cutoff
    from (
        select
            entry_id, target, cutoff,
            row_number() over (
                partition by ticker, target, cutoff order by attempt desc
            ) as place
        from ledger
        where status = 'trained'
    ) as made
    where place = 1
),

weighed as (
    select
        entries.target, entries.cutoff as date, weights.member, weights.weight,
        weights.oof_log_score, weights.oof_rmse,
        max(weights.weight) over (partition by weights.entry_id) as heaviest
    from weights
    inner join entries on entries.entry_id = weights.entry_id
)

select
    date, target, member,
    count(*) as stocks,
    avg(weight) as weight,
    avg(case when weight = heaviest then 1.0 else 0.0 end)::double precision as share_led,
    avg(oof_log_score) as oof_log_score,
    avg(oof_rmse) as oof_rmse
from weighed
group by date, target, member
order by target, date, member;
