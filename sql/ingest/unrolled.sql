-- A row per row of the input and ticker, out of lists of one value per ticker.
create or replace temp table {table} as
select {renamed}
from (select {columns} from {batch})
where {some}
