-- What has a label has been looked at.
delete from awaited
using targets
where targets.ticker = awaited.ticker
    and targets.target = awaited.target
    and targets.date = awaited.date;

delete from relabelled
using targets
where targets.ticker = relabelled.ticker
    and targets.target = relabelled.target
    and targets.date = relabelled.date;
