-- Columns of a view as they are published, with their comments.
select shown.column_name, shown.data_type, max(commented.comment) as comment
from duckdb_columns() as shown
left join duckdb_columns() as commented
    on commented.table_name = shown.table_name
    and commented.column_name = shown.column_name
    and commented.comment is not null
where shown.table_name = $view and shown.database_name = 'temp'
group by shown.column_name, shown.data_type, shown.column_index
order by shown.column_index
