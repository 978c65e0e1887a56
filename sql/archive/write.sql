-- Write the chosen entries to {path}, those of a stock together: so they are smallest.
copy (
    select made.*
    from ledger as made
    semi join superseded using (entry_id)
    order by made.target, made.ticker, made.finished_at, made.entry_id
) to {path} (format parquet, compression zstd)
