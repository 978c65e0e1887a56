-- The labels of one horizon.
select
    ticker, date, $target::varchar as target, $horizon::integer as horizon, target::double as value,
    label_end::date as label_end
from {table}
where isfinite(target) and label_end is not null
