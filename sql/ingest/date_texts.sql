-- Each text of the date column once, and its shape: parts a, b, c as written, and the time behind.
create or replace temp table date_texts as
with texts as (
    select distinct {text} as given, trim({text}, ' "''') as t
    from {relation}
    where {text} is not null
),

shaped as (
    select
        given,
        t,
        case
            when regexp_full_match(t, '\d{4}([-/.])\d{1,2}([-/.])\d{1,2}([T ,].*)?') then 'ymd'
            when regexp_full_match(t, '\d{4}年\d{1,2}月\d{1,2}日.*') then 'ymd'
            when regexp_full_match(t, '(1[89]|2[01])\d{6}(\.0*)?') then 'compact'
            when regexp_full_match(t, '(1[89]|2[01])\d{6}[T :_-]?\d{4}(\d{2})?') then 'compact time'
            when regexp_full_match(t, '-?\d{9,10}(\.\d*)?') then 'seconds'
            when regexp_full_match(t, '-?\d{12,13}(\.0*)?') then 'milliseconds'
            when regexp_full_match(t, '-?\d{15,16}(\.0*)?') then 'microseconds'
            when regexp_full_match(t, '-?\d{18,19}(\.0*)?') then 'nanoseconds'
            when regexp_full_match(t, '\d{1,2}[-/.]\d{1,2}[-/.]\d{4}([T ,].*)?') then 'xxy'
            when regexp_full_match(t, '\d{1,2}[-/.]\d{1,2}[-/.]\d{2}([T ,].*)?') then 'xxx'
            when regexp_full_match(t, '([A-Za-z]{3,9},? +)?\d{1,2}(st|nd|rd|th)?[-/ .]*[A-Za-z]{3,9}[-/ .,]*\d{4}([T ,].*)?')
                then 'day month'
            when regexp_full_match(t, '([A-Za-z]{3,9},? +)?[A-Za-z]{3,9}[-/ .]*\d{1,2}(st|nd|rd|th)?[-/ .,]+\d{4}([T ,].*)?')
                then 'month day'
            when regexp_full_match(t, '\d{4}[-/ .]?[A-Za-z]{3,9}[-/ .]?\d{1,2}([T ,].*)?') then 'year month'
            when regexp_full_match(t, '\d{1,2}[-/ .]?[A-Za-z]{3,9}[-/ .]?\d{2}([T ,].*)?') then 'xmx'
            when regexp_full_match(t, '[2-6]\d{4}(\.\d*)?') then 'serial'
            else 'other'
        end as shape
    from texts
),

parted as (
    select
        *,
        regexp_extract(t, '^(\d+)[^\d]+(\d+)[^\d]+(\d+)', ['a', 'b', 'c']) as p,
        regexp_extract(
            t, '^(?:[A-Za-z]{3,9},? +)?(?:(\d{1,4})(?:st|nd|rd|th)?[-/ .]*)?([A-Za-z]{3})[a-z]*[-/ .,]*(\d{1,2})?(?:st|nd|rd|th)?[-/ .,]*(\d{2,4})?',
            ['first', 'month', 'second', 'third']
        ) as n
    from shaped
)

select
    given, t, shape,
    try_cast(p.a as integer) as a, try_cast(p.b as integer) as b, try_cast(p.c as integer) as c,
    regexp_extract(t, '[T ,年月日]+(\d{1,2}:\d{2}(?::\d{2}(?:\.\d+)?)?.*)$', 1) as clock,
    n.month as month,
    regexp_extract(t, '(\d{4})') as year4
from parted
