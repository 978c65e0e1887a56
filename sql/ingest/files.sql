-- What the names of files, or the folders they lie in, say of their rows.
create or replace temp table files as
select
    unnest($paths::varchar[]) as path,
    unnest($tickers::varchar[]) as file_ticker,
    unnest($dates::varchar[]) as file_date
