-- Names of a listing's columns. {listing}: a SELECT of this program.
select column_name from (describe {listing})
