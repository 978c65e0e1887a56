-- Schema and database in which the views lie.
select current_schema()::text as schema_name, current_database()::text as database_name
