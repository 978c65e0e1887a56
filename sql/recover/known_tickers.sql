-- All stocks of the panel.
select ticker from series
union
select ticker from prices
union
select ticker from features
order by ticker
