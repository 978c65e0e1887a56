-- Sectors that stocks are known to be in.
select distinct sector from v_newest_forecasts where sector is not null order by sector
