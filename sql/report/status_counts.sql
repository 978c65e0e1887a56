-- How many stocks have each status.
select status, count(*) as n from v_status group by status
