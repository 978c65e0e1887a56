-- Move the rows of {published} from the one numbered $first on to {taken}.
create or replace temp table {taken} as
from {published} where rowid >= $first;

delete from {published} where rowid >= $first
