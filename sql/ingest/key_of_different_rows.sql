-- The first stock and day of which a file of a batch has different rows.
select ticker, date
from ({rows})
where date is not null
group by file_path, ticker, date
having count(distinct {row}) > 1
order by ticker, date
limit 1
