-- How many rows of $table lie in row groups of $full rows, before any that has fewer.
with pieces as (
    select row_group_id, sum(count) as rows
    from pragma_storage_info($table)
    where column_id = 0 and segment_type <> 'VALIDITY'
    group by row_group_id
)

select coalesce(sum(rows), 0)::bigint as rows
from pieces
where row_group_id < coalesce(
        (select min(row_group_id) from pieces where rows < $full),
        (select count(*) from pieces)
    )
