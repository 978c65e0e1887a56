-- The tables of published results; views, which are code, are none.
select table_name from duckdb_tables() where database_name = 'published' and schema_name = 'main'
