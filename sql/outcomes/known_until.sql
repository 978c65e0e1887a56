-- The newest date of which anything is known, of whatever stock and target.
select greatest((select max(date) from features), (select max(label_end) from targets))
