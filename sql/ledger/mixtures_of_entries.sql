-- How some entries weigh their members. {history}: the ledger, with what was moved to the archive.
select entry_id, members, weights, scales
from {history} as entries
where {which} and members is not null
