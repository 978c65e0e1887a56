-- Make room for the rows of `fresh` in the features table.
delete from main.features
using fresh
where features.ticker = fresh.ticker and features.date = fresh.date
