-- Sectors that stocks of the panel are known to be in.
select distinct sector
from stocks
where sector is not null and ticker in (select ticker from series)
order by sector
