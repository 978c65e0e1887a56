-- How much weight each member gets over all stocks, and how often it leads.
select
    member,
    avg(weight) as mean_weight,
    median(weight) as median_weight,
    avg((weight = best)::int) as share_of_stocks_led
from (select *, max(weight) over (partition by entry_id) as best from v_weights)
group by member
order by mean_weight desc;
