-- One row per target and date with outcomes but the first: which share of the day's highest and
-- lowest fifth of forecasts was not in it on the date before, and how alike all ranks are.
create or replace view v_turnover as
select
    date, target, stocks_before as stocks, turnover_highest, turnover_lowest, rank_correlation
from outcome_days
where stocks_before > 0
order by target, date;
