-- Features of all stocks on some dates, in no order, with the place of the date in $days, from 0.
with wanted as (
    select unnest(days) as date, (generate_subscripts(days, 1) - 1)::usmallint as place
    from (select $days::date[] as days)
)

select wanted.place {feature_columns}
from features
inner join wanted on wanted.date = features.date
