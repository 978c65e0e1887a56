-- Quartiles of every feature over the stocks of some dates.
select date, {quartiles}
from features
where date in (select unnest($days::date[]))
group by date
order by date
