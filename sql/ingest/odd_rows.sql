-- Rows of the input that cannot be taken, counted by reason, with examples.
select
    reason,
    count(*) as n,
    list_slice(list_sort(list_distinct(list(shown))), 1, 5) as examples
from judged
where reason is not null
group by reason
order by n desc, reason
