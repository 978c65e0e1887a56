-- Of several forecasts of a stock and date keep the one by the newest entry. {which}: of which
-- stocks; those of dates before $since are left alone.
delete from predictions
using (
    select
        predictions.entry_id, predictions.date,
        row_number() over (
            partition by predictions.ticker, predictions.target, predictions.date
            order by {newest_first}
        ) as place
    from predictions
    inner join ledger on ledger.entry_id = predictions.entry_id
    where predictions.date >= $since and {which}
) as made
where predictions.entry_id = made.entry_id
    and predictions.date = made.date
    and predictions.date >= $since
    and made.place > 1
