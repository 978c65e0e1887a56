-- The outcomes that hold, of rows from one date to another.
select *
from (
    select
        outcomes.*,
        row_number() over (
            partition by ticker, target, date order by revision desc
        ) as place
    from outcomes
    where date between $since and $until
) as found
where place = 1
