-- Whoever runs this holds the store: runs that never finished are dead.
update runs set status = 'interrupted' where status = 'running'
