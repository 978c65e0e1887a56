-- Failed and skipped stocks.
select ticker, status, error_type, error_message
from v_failures
where target = $target and ($type is null or error_type = $type)
