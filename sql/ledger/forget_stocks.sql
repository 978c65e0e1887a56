-- Forget what was known of some stocks, given on a line each.
delete from stocks where ticker in (select unnest(string_to_array($tickers, chr(10))))
