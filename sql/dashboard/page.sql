-- One page of a listing: {column} and {direction} are its order; ties are in the order of all its
-- columns, so that no row is on two pages.
select * from ({listing}) as listing
order by {column} {direction} nulls last, columns(*)
limit $size offset $start
