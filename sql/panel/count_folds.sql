-- How many folds of some stocks are stored that one config and code made.
select count(*)
from folds
where ticker in (select unnest($tickers::varchar[]))
    and target = $target
    and config_hash = $config_hash
    and code_version = $code_version
