-- The date and the moment of each text. In {order} stands how numbers alone are ordered; in
-- {instant} the local time of an instant of UTC.
create or replace temp table dates_{number} as
with read as (
    select
        given, t, shape, clock,
        case shape
            when 'ymd' then try_cast(format('{:04d}-{:02d}-{:02d}', a, b, c) as date)
            when 'compact' then try_strptime(left(t, 8), '%Y%m%d')::date
            when 'compact time' then try_strptime(left(t, 8), '%Y%m%d')::date
            when 'day month' then try_strptime(
                regexp_replace(t, '^(?:[A-Za-z]{3,9},? +)?(\d{1,2})(?:st|nd|rd|th)?[-/ .]*([A-Za-z]{3})[a-z]*[-/ .,]*(\d{4}).*$', '\1-\2-\3'),
                '%d-%b-%Y')::date
            when 'month day' then try_strptime(
                regexp_replace(t, '^(?:[A-Za-z]{3,9},? +)?([A-Za-z]{3})[a-z]*[-/ .]*(\d{1,2})(?:st|nd|rd|th)?[-/ .,]+(\d{4}).*$', '\2-\1-\3'),
                '%d-%b-%Y')::date
            when 'year month' then try_strptime(
                regexp_replace(t, '^(\d{4})[-/ .]?([A-Za-z]{3})[a-z]*[-/ .]?(\d{1,2}).*$', '\3-\2-\1'),
                '%d-%b-%Y')::date
            when 'xxy' then {order_xxy}
            when 'xxx' then {order_xxx}
            when 'xmx' then {order_xmx}
            when 'other' then {other}
            when 'serial' then {serial}
        end as day,
        case shape
            when 'seconds' then make_timestamp((t::double * 1e6)::bigint)
            when 'milliseconds' then make_timestamp(t::double::bigint * 1000)
            when 'microseconds' then make_timestamp(regexp_replace(t, '\..*$', '')::bigint)
            when 'nanoseconds' then make_timestamp(regexp_replace(t, '\..*$', '')::bigint // 1000)
        end as epoch,
        regexp_matches(t, '(Z|[+-]00:?00|UTC|GMT)$') and clock <> '' as is_utc,
        case
            when shape = 'compact time'
                then try_strptime(rpad(regexp_extract(t, '(\d{4,6})$'), 6, '0'), '%H%M%S')::time
            else coalesce(
                try_strptime(
                    regexp_extract(clock, '^(\d{1,2}:\d{2}(?::\d{2})?\s?[AaPp][Mm])', 1), ['%I:%M:%S %p', '%I:%M %p', '%I:%M%p', '%I:%M:%S%p']
                )::time,
                try_cast(regexp_extract(
                    case when regexp_full_match(clock, '\d:.*') then '0' || clock else clock end,
                    '^(\d{2}:\d{2}(?::\d{2})?)', 1
                ) || case when regexp_full_match(clock, '\d{1,2}:\d{2}([^:].*)?') then ':00' else '' end as time)
            )
        end as of_day
    from date_texts
),

moments as (
    select
        given,
        t,
        shape,
        coalesce(is_utc, false) or epoch is not null as is_instant,
        coalesce(epoch, day + coalesce(of_day, time '00:00:00')) as written,
        of_day is not null or epoch is not null as has_time
    from read
)

select
    given,
    shape,
    is_instant,
    has_time and written::time <> time '00:00:00' as has_time,
    hour(written) as written_hour,
    isodow(written) as weekday,
    case when is_instant then {instant} else written end as moment
from moments
where year(written) between 1800 and 2300
