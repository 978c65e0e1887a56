-- A ticker without blanks around it, signs that nobody sees, and signs that it is text: where it
-- could be taken for a number, people write '007 or ="007". Most tickers are plain, and to see that
-- costs less than a regular expression.
case
    when strlen({text}) <> length({text}) then regexp_replace({text}, $unseen, '', 'g')
    when left(trim({text}), 1) in ('=', '"', '''')
        then regexp_replace(trim({text}), '^=?(["''])(.*?)["'']?$', '\2')
    else trim({text})
end
