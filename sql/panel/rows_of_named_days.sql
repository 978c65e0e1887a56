-- Features of all stocks on some dates, in no order.
select date {feature_columns}
from features
where date in (select unnest($days::date[]))
