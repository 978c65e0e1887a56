-- The labels that the store has of one target.
create or replace temp view {table} as
select ticker, date, value from main.targets where target = $target
