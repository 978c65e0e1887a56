-- Which roles may read which views: a view that is made anew has no readers.
select pg_class.relname::text as name, coalesce(quote_ident(pg_roles.rolname), 'public') as role
from pg_class
cross join lateral aclexplode(pg_class.relacl) as granted
left join pg_roles on pg_roles.oid = granted.grantee
where pg_class.relkind = 'v'
    and pg_class.relnamespace = current_schema()::regnamespace
    and granted.privilege_type = 'SELECT'
    and granted.grantee <> pg_class.relowner
