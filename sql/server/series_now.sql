-- Which state of each stock's series there is.
select ticker, target, digest, updated_at from series
