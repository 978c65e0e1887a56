-- Forecasts that were made since a time.
select * from predictions where made_at >= $since
