-- Forecasts by entries that ended since a time.
select predictions.*
from predictions
inner join ledger on ledger.entry_id = predictions.entry_id
where ledger.finished_at >= $since
