-- The outcomes that hold, of rows from one date to another. {revised}: joins the next
-- revision of the label, if there is one.
select found.*
from outcomes as found
{revised}
where found.date between $since and $until and revised.entry_id is null
