-- One page of a listing, the last where the number is larger, and how many rows there are: {column}
-- and {direction} are its order; ties are in the order of all its columns, so that no row is on two
-- pages.
with listing as materialized ({listing})

select *, (select count(*) from listing) as n_rows_in_all
from listing
order by {column} {direction} nulls last, columns(*)
limit $size
offset (select greatest(0, least($number - 1, (count(*) - 1) // $size)) * $size from listing)
