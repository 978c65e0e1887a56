-- Of the rows with one key the last stays, as if the rows had come one after another.
delete from incoming
using repeated
where incoming.ticker = repeated.ticker
    and incoming.date = repeated.date
    and incoming.rowid <> repeated.last_row
