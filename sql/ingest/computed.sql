-- The feature SQL, run over the prices that the touched stocks need; features as FLOAT.
create or replace temp table {table} as
with prices as (
    {prices}
)

select ticker, date, label_end, target {features} from (
{features_sql}
)
order by ticker, date
