-- Outcomes that were settled after a time.
select * from outcomes where settled_at > $since
