-- The computed rows whose features may have changed: those that are not there only because
-- the label of an earlier day has changed.
create or replace temp view fresh as
select computed.* exclude (label_end, target)
from computed
{in_spans}
