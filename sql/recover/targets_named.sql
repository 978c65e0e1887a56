-- Every target of which something is left.
select target from series
union
select target from targets
