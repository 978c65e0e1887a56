-- Rows to learn pooled models from: every $stride-th date whose labels were known before
-- $anchor, with the numbers of their date and of their stock.
with labels as (
    select ticker, date, value, label_end
    from targets
    where target = $target and label_end < $anchor::date
),

days as (
    select date, row_number() over (order by date) - 1 as place
    from (select distinct date from labels)
),

stocks as (
    select ticker, row_number() over (order by ticker) - 1 as stock
    from (select distinct ticker from labels)
)

select
    labels.date, days.place // $stride as day, stocks.stock, labels.label_end, labels.value
    {feature_columns}
from labels
inner join days on days.date = labels.date
inner join stocks on stocks.ticker = labels.ticker
inner join features on features.ticker = labels.ticker and features.date = labels.date
where days.place % $stride = 0
order by days.place, stocks.stock
