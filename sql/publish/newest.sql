-- Until when what is published was made; the beginning of time where nothing is.
select
    coalesce((select max(finished_at) from published.ledger), timestamp '0001-01-01') as entries,
    coalesce((select max(made_at) from published.predictions), timestamp '0001-01-01') as forecasts,
    coalesce((select max(settled_at) from published.outcomes), timestamp '0001-01-01') as outcomes
