-- A text cell as DOUBLE; NULL where it is missing or no number. Brackets and a minus behind mean
-- minus, k, m, b and t thousands and so on; thousands are parted in whole groups or not at all.
case
    when lower(trim({cell})) in {missing} then null
    when lower(trim({cell})) = 'true' then 1
    when lower(trim({cell})) = 'false' then 0
    when try_cast({cell} as double) is not null and $decimal = '.'
        then nullif(try_cast({cell} as double), 'nan'::double)
    else
        case
            when starts_with(trim({cell}), '(') and ends_with(trim({cell}), ')') then -1
            when regexp_matches(trim({cell}), '[0-9]\s*-$') then -1
            else 1
        end
        / case when regexp_matches({cell}, '[%％]\s*$') then 100 else 1 end
        * try_cast(
            case
                when regexp_matches(regexp_replace({bare}, '(-|[kmbt])$', ''), $grouped)
                    then replace(
                        replace(regexp_replace({bare}, '(-|[kmbt])$', ''), $thousands, ''), $decimal, '.'
                    )
                when contains({bare}, $thousands) then null
                else replace(regexp_replace({bare}, '(-|[kmbt])$', ''), $decimal, '.')
            end
            || case right({bare}, 1)
                when 'k' then 'e3' when 'm' then 'e6' when 'b' then 'e9' when 't' then 'e12' else ''
            end as double
        )
end
