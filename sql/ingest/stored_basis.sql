-- Of each stock of the input that the store has prices of: on what basis each has them. In
-- `overlap` stand the days that both have.
create or replace temp table overlap as
select
    incoming.ticker,
    incoming.date,
    incoming.close / prices.close as close_ratio,
    incoming.close / prices.adj_close as adjusted_ratio,
    coalesce(incoming.adj_close, incoming.close) / coalesce(prices.adj_close, prices.close)
        as ratio,
    incoming.volume / nullif(prices.volume, 0) as volume_ratio,
    -- Prices have so many digits: a hundredth in each of two is no difference.
    0.0005 + 0.012 / least(incoming.close, prices.close) as noise
from incoming
inner join main.prices on prices.ticker = incoming.ticker and prices.date = incoming.date;

create or replace temp table basis as
with given as (
    select
        ticker, count(*) as n, count(adj_close) as n_adjusted,
        min(date) as first_date, max(date) as last_date
    from incoming
    group by ticker
),

stored as (
    select
        ticker, count(*) as n, count(adj_close) as n_adjusted,
        min(date) as first_date, max(date) as last_date
    from main.prices
    where ticker in (select ticker from given)
    group by ticker
),

both_have as (
    select
        ticker,
        count(*) as n,
        bool_and(abs(close_ratio - 1) <= noise) as same_close,
        bool_and(abs(adjusted_ratio - 1) <= noise) as close_is_adjusted,
        arg_min(ratio, date) as first_ratio,
        arg_max(ratio, date) as last_ratio,
        arg_min(close_ratio, date) as first_close_ratio,
        arg_min(noise, date) as noise,
        median(volume_ratio) as volume_ratio
    from overlap
    group by ticker
)

select
    given.ticker,
    given.first_date,
    given.last_date,
    given.n_adjusted as given_adjusted,
    given.n as given_rows,
    stored.n_adjusted as stored_adjusted,
    stored.first_date as stored_first,
    stored.last_date as stored_last,
    coalesce(both_have.n, 0) as n_overlap,
    coalesce(same_close, false) as same_close,
    coalesce(close_is_adjusted, false) as close_is_adjusted,
    first_ratio,
    last_ratio,
    first_close_ratio,
    volume_ratio,
    both_have.noise,
    stored.n - coalesce(both_have.n, 0) as n_outside
from given
inner join stored on stored.ticker = given.ticker
left join both_have on both_have.ticker = given.ticker;
