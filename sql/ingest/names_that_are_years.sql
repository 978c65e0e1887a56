-- Files whose name is the year, or day, of all their rows, or that of a part of a table.
select any_value(ticker)
from ({rows})
where date is not null
    and (
        regexp_full_match(ticker, '(19|20)\d{2}([-_]?\d{2}){0,2}')
        or regexp_matches(ticker, '^part-\d+')
    )
group by file_path
having any_value(ticker) like 'part-%'
    or (min(year(date)) = max(year(date)) and min(year(date))::varchar = left(any_value(ticker), 4))
limit 1
