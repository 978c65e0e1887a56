-- What there is in the database, whoever made it.
select relname::text as name
from pg_class
where relnamespace = current_schema()::regnamespace and relkind in ('r', 'p', 'v', 'm', 'f')
order by relname
