-- The outcomes that hold, of rows from one date to another.
select found.*
from outcomes as found
left join outcomes as revised
    on revised.revision > 0
    and revised.revision = found.revision + 1
    and revised.ticker = found.ticker
    and revised.target = found.target
    and revised.date = found.date
where found.date between $since and $until and revised.entry_id is null
