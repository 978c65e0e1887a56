-- What is another text after each change of series or prices. Whatever changes a stock's prices
-- computes its series anew, or takes it away.
select
    concat_ws(
        '/', count(*), max(updated_at), (select count(*) from prices), (select max(date) from prices)
    ) as stamp
from series
