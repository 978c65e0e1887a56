-- Stocks by status.
select status, count(*) as stocks from v_status where target = $target group by status
