-- What is known of stocks.
select ticker, name, sector, industry, country from stocks
