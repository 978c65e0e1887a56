-- One bar per day out of several: first open, highest high, lowest low, last close, all volume.
select
    ticker,
    date,
    max(moment) as moment,
    arg_min(open, (coalesce(moment, date::timestamp), rowid)) as open,
    max(high) as high,
    min(low) as low,
    arg_max(close, (coalesce(moment, date::timestamp), rowid)) as close,
    sum(volume) as volume,
    arg_max(adj_close, (coalesce(moment, date::timestamp), rowid)) as adj_close
from incoming
group by ticker, date
order by ticker, date
