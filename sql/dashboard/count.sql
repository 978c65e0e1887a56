-- Rows of a listing.
select count(*) from ({listing}) as listing
