-- The columns of each table of a database in their order; views, which are code, are none.
select table_name, list(column_name order by column_index) as names
from duckdb_columns()
semi join duckdb_tables() using (database_name, table_name)
where database_name = $database and schema_name = 'main'
group by table_name
order by table_name
