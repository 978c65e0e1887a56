-- Bytes of the free blocks of a database.
select block_size * free_blocks as free_bytes
from pragma_database_size()
where database_name = current_database()
