-- Put settings in place of those of the same names.
delete from settings
where name in (select unnest($names::varchar[]));

insert into settings (name, value)
select unnest($names::varchar[]), unnest($new_values::varchar[]);
