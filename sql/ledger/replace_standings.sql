-- Tell anew which entries of some stocks count. {which}: of which stocks; {told}: what the ledger
-- says of them.
delete from standings where {which};

insert into standings (
    ticker, target, newest_entry, newest_at, current_entry, current_at, attempts, forecast_date,
    forecast_at
)
{told}
