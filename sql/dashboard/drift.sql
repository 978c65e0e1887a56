-- Features on their newest date, the farthest from the training window first.
select feature, date, stocks, median, quartile_distance, share_missing, stability
from v_feature_drift
qualify row_number() over (partition by feature order by date desc) = 1
order by stability desc nulls last
limit 15
