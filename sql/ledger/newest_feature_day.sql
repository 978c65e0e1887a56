-- The newest day of which it is recorded how features stood.
select max(date) as date from feature_days
