-- Twelve features and the forward log return of each stock, from daily prices.
--
-- Input   prices (ticker, date, open, high, low, close, volume, adj_close): one row a
--         stock and day; open, high, low, volume and adj_close may be missing.
--         $horizon: how many trading days ahead the target looks.
-- Output  ticker, date, label_end, target, and one column a feature. Every feature at a
--         date uses prices up to that date only. label_end is the date on which the
--         target became known; it and target are NULL where that day is yet to come.
--
-- To use other features, copy this file, change it, and name it once:
--     bmastore ingest prices.parquet --features my_features.sql
-- The next line says how many earlier rows of a stock the features at a date need. With
-- it a new day costs one day's work; without it each touched stock is computed anew.
-- lookback: 60 rows

with adjusted as (
    select
        ticker,
        date,
        coalesce(adj_close, close)::double as price,
        open::double * coalesce(adj_close, close) / close as open_price,
        high::double as high,
        low::double as low,
        volume,
        close * volume as dollar_volume
    from prices
),

daily as (
    select
        *,
        row_number() over history as day,
        ln(price / lag(price) over history) as log_return,
        ln(open_price / lag(price) over history) as gap,
        lead(date, $horizon) over history as label_end,
        ln(lead(price, $horizon) over history / price) as target
    from adjusted
    window history as (partition by ticker order by date)
)

select
    ticker,
    date,
    label_end,
    target,
    -- log returns over one day, week, month and quarter
    log_return as ret_1,
    ln(price / lag(price, 5) over history) as ret_5,
    ln(price / lag(price, 20) over history) as ret_20,
    ln(price / lag(price, 60) over history) as ret_60,
    -- standard deviation of daily log returns
    stddev_samp(log_return) over last_20 as vol_20,
    stddev_samp(log_return) over last_60 as vol_60,
    -- volume against its average of 20 days
    ln((volume + 1) / (avg(volume) over last_20 + 1)) as volume_surprise,
    -- the day's high over its low, and its open over yesterday's close
    ln(high / low) as daily_range,
    gap as overnight_gap,
    -- price over its average of 50 days
    ln(price / avg(price) over last_50) as dist_ma_50,
    -- relative strength index, 0 to 100: gains as a share of all moves in 14 days
    100 * sum(greatest(log_return, 0)) over last_14
        / nullif(sum(abs(log_return)) over last_14, 0) as rsi_14,
    -- illiquidity after Amihud (2002): absolute return per million traded
    1e6 * avg(abs(log_return) / nullif(dollar_volume, 0)) over last_20 as illiq_20
from daily
window
    history as (partition by ticker order by date),
    last_14 as (partition by ticker order by date rows 13 preceding),
    last_20 as (partition by ticker order by date rows 19 preceding),
    last_50 as (partition by ticker order by date rows 49 preceding),
    last_60 as (partition by ticker order by date rows 59 preceding)
-- before that, the longest features lack history
qualify day > 60
