-- What share of the blocks of published results hold nothing.
select free_blocks / total_blocks as share
from pragma_database_size()
where database_name = 'published'
