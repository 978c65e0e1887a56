-- Rows on a Saturday where there are some on a Tuesday and none on a Monday, and rows on a Sunday
-- where there are some on a Thursday and none on a Friday: as instants of another zone would have it.
select
    case when mondays = 0 and tuesdays > 0 then saturdays else 0 end as late,
    case when fridays = 0 and thursdays > 0 then sundays else 0 end as early
from (
    select
        count(*) filter (isodow(date) = 1) as mondays,
        count(*) filter (isodow(date) = 2) as tuesdays,
        count(*) filter (isodow(date) = 4) as thursdays,
        count(*) filter (isodow(date) = 5) as fridays,
        count(*) filter (isodow(date) = 6) as saturdays,
        count(*) filter (isodow(date) = 7) as sundays
    from incoming
)
