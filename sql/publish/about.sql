-- What published results say of themselves.
select name, value from published.meta
