-- A name that files in several folders share, while their rows of one day differ.
select ticker, list_sort(list(distinct parse_dirpath(file_path)))[1:2] as folders
from ({rows})
where date is not null
group by ticker, date
having count(distinct parse_dirpath(file_path)) > 1 and count(distinct {row}) > 1
limit 1
