-- A role of the server, if there is one of that name.
select rolname from pg_roles where rolname = $role
