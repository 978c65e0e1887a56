-- Features of all stocks from one date to another, in no order.
select date {feature_columns}
from features
where date between $first::date and $last::date
