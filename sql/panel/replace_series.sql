-- Put the rows of some stocks in place of those that there are, given as lists
-- of one value per stock.
delete from series
where ticker in (select unnest($tickers::varchar[])) and target = $target;

insert into series by name
select
    unnest($ticker) as ticker,
    $target as target,
    unnest($n_rows) as n_rows,
    unnest($first_date::date[]) as first_date,
    unnest($last_date::date[]) as last_date,
    unnest($digest) as digest,
    unnest($labelled_digest) as labelled_digest,
    unnest($history_since::timestamp[]) as history_since,
    unnest($updated_at::timestamp[]) as updated_at;
