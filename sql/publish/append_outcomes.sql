-- Add the outcomes that published results lack: those settled after $since.
insert into published.outcomes by name
from {outcomes} as made where made.settled_at > $since
