-- Rows to learn the pooled model from: every $stride-th date whose labels were known before
-- $anchor, targets in units of their stock's typical move (of at least $least labels).
with labels as (
    select ticker, date, value
    from targets
    where target = $target and label_end < $anchor::date
),

typical as (
    select ticker, median(abs(value)) as move
    from labels
    group by ticker
    having count(*) >= $least and move > 0
),

days as (
    select date, row_number() over (order by date) - 1 as place
    from (select distinct date from labels)
)

select labels.date, days.place // $stride as day, labels.value / typical.move as move,
    typical.move as scale {feature_columns}
from labels
inner join days on days.date = labels.date
inner join typical on typical.ticker = labels.ticker
inner join features on features.ticker = labels.ticker and features.date = labels.date
where days.place % $stride = 0
order by days.place, labels.ticker
