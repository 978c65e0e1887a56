-- One row per target, cutoff and member: its weight over the stocks that were trained as of that
-- date (of several entries of a stock, the last one), in how many it leads, and how it forecast
-- out of fold.
create or replace view v_member_days as
select cutoff as date, target, member, stocks, weight, share_led, oof_log_score, oof_rmse
from member_days
order by target, cutoff, member;
