-- Failed and skipped stocks by the kind of error.
select error_type, count(*) as stocks
from v_failures
where target = $target and error_type is not null
group by error_type
order by stocks desc, error_type
