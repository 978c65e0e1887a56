-- A file, if there is one, whose dates like 01/02/2024 may all be read in the other order too, and lie
-- close together in that one alone: the order that was told by other files may not be its own.
-- {relation}: file and date of each row; {told}, {other}: how the two orders read a date.
with texts as (
    select distinct rows_of.file_path, date_texts.given, {told} as told, {other} as other
    from {relation} as rows_of
    inner join date_texts on date_texts.given = rows_of.text
    where date_texts.shape = 'xxy'
)

select file_path
from texts
group by file_path
having
    count(*) >= 4
    and bool_and(told is not null and other is not null)
    and date_diff('day', min(other), max(other)) * 5 < date_diff('day', min(told), max(told))
order by file_path
limit 1
