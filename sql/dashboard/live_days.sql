-- Live scores, day by day.
select * from v_live_days where target = $target order by date
