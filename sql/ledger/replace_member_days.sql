-- Tell anew how members were weighed on some cutoffs, over the stocks that were trained as of
-- each: of several entries of a stock, the last one counts. {which}: those;
-- {history}: the ledger, with what was moved to the archive.
delete from member_days where {which};

insert into member_days (
    target, cutoff, member, stocks, weight, share_led, oof_log_score, oof_rmse
)
select
    target, cutoff, member,
    count(*) as stocks,
    avg(weight) as weight,
    avg(case when weight = heaviest then 1 else 0 end) as share_led,
    avg(oof_log_score) as oof_log_score,
    avg(oof_rmse) as oof_rmse
from (
    select *, max(weight) over (partition by entry_id) as heaviest
    from (
        select
            entry_id, target, cutoff,
            unnest(members) as member,
            unnest(weights) as weight,
            unnest(oof_log_scores) as oof_log_score,
            unnest(oof_rmses) as oof_rmse
        from (
            select
                *,
                row_number() over (
                    partition by ticker, target, cutoff order by attempt desc
                ) as place
            from {history} as entries
            where status = 'trained' and {which}
        ) as made
        where place = 1
    ) as weighed
) as compared
group by target, cutoff, member
