-- Why a row of the input cannot be taken, and cells that cannot be stored, blanked. Infinity stands
-- for an infinite value, minus infinity for one beyond the range of FLOAT.
create or replace temp view judged as
select
    place,
    case
        when date is null and {written} is not null and {all_missing}
            then 'lines are no rows, such as a footer'
        when {key_rules}
    end as reason,
    {shown} as shown
    {cells}
    {flags}
from (select *, rowid as place from source)
