-- A text cell without what may stand around a number: spaces, currencies, brackets, percent.
regexp_replace(
    replace(lower(trim({cell})), '−', '-'),
    '[\s\x{00A0}\x{2009}\x{202F}''’_$€£¥₹₩()%％+]|^(usd|eur|gbp|inr|jpy|chf|rs\.?)|(usd|eur|gbp|inr|jpy|chf)$',
    '', 'g'
)
