-- A row per key, out of rows of one number each; of several for one cell the last is taken.
create or replace temp table {table} as
select {renamed}
from (select {columns} from {batch} group by {keys})
