-- Cells that cannot be stored become NULL.
update source
set {cells}
from judged
where judged.place = source.rowid and ({flags})
