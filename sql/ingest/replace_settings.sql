-- What computed features and targets, in place of what did before.
delete from settings
where name <> 'ledger';

insert into settings (name, value)
select unnest($names), unnest($new_values);
