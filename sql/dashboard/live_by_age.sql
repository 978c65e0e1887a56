-- How forecasts of dates since $since did by the days between training and forecast.
select
    case
        when age < 7 then '1: below a week'
        when age < 31 then '2: below a month'
        when age < 92 then '3: below a quarter'
        else '4: older'
    end as age,
    count(*) as outcomes,
    sum(error * error) / nullif(sum(actual * actual), 0) as mse_vs_zero,
    sum(crps) / nullif(sum(zero_crps), 0) as crps_vs_zero,
    avg((abs(pit - 0.5) <= 0.4)::int) as coverage_80
from (
    select came.*, came.date - made.cutoff as age
    from v_outcomes as came
    inner join ledger as made on made.entry_id = came.entry_id
    where came.target = $target and came.date >= $since
) as aged
group by 1
order by 1
