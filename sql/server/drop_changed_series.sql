-- Take away the series that are to be replaced.
delete from series
using changed_series as changed
where changed.ticker = series.ticker and changed.target = series.target
