-- Stored folds of some stocks that one config and code made, oldest first.
select ticker, fold, n_train, n_test, train_digest, test_digest, rounds, predictions
from folds
where ticker in (select unnest($tickers::varchar[]))
    and target = $target
    and config_hash = $config_hash
    and code_version = $code_version
    -- a stock whose history was short had fewer members
    and members = $members::varchar[]
order by ticker, fold
