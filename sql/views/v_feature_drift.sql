-- One row per date and feature: where the stocks stood, and how far that is from the training
-- window (population stability index; stability 0 is none).
create or replace view v_feature_drift as
select date, feature, stocks, median, quartile_distance, share_missing, stability
from feature_days
order by date, feature;
