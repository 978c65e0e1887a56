-- A text cell without what may stand around a number: spaces, currencies, brackets, percent.
regexp_replace(
    lower(trim({cell})),
    '[\s  ''’_$€£¥₹₩()%％+]|^(usd|eur|gbp|inr|jpy|chf|rs\.?)|(usd|eur|gbp|inr|jpy|chf)$',
    '', 'g'
)
