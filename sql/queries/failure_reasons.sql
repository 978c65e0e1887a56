-- Failed and skipped stocks, counted by reason.
select status, error_type, count(*) as stocks, min(ticker) as example
from v_failures
group by status, error_type
order by stocks desc;
