-- Delete the rows of some stocks, to be inserted anew.
delete from series
where ticker in (select unnest($tickers::varchar[])) and target = $target
