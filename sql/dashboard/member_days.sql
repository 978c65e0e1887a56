-- Mean weight of each member over the stocks that were trained as of a date.
select date, member, weight from v_member_days where target = $target
