-- Why members have failed on stocks, which were averaged without them.
select member, member_error, count(*) as stocks, min(ticker) as example
from v_weights
where member_error is not null
group by member, member_error
order by stocks desc, member, member_error
