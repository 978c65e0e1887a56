-- Rows of the input that cannot be taken, counted by reason, with examples; and under the
-- reason NULL those that are taken with some cells blanked, counted by kind of cell.
select
    reason,
    count(*) as n,
    list_slice(list_sort(list_distinct(list(shown) filter (reason is not null))), 1, 5) as examples
    {counts}
from judged
where reason is not null {or_blanked}
group by reason
order by n desc, reason
