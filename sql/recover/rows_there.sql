-- How many places for rows a table has in its file, those of deleted rows too: told by the
-- catalog, for no block of rows may be read to find out.
select estimated_size
from duckdb_tables()
where database_name = $database and schema_name = 'main' and table_name = $relation
