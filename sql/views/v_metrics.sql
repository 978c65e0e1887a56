-- One row per metric of a stock's newest trained ensemble.
-- What the panel has forgotten is history, and left out: it has no series.
create or replace view v_metrics as
select measured.ticker, entry_id, measured.name, value, target, stocks.sector
from (
    select
        found.ticker, made.entry_id, found.target,
        unnest(
            array[
                'oof_rows', 'oof_rmse', 'oof_mse_vs_zero', 'oof_log_score', 'oof_coverage_80',
                'oof_coverage_90'
            ]
        ) as name,
        unnest(
            array[
                made.oof_rows, made.oof_rmse, made.oof_mse_vs_zero, made.oof_log_score,
                made.oof_coverage_80, made.oof_coverage_90
            ]
        )::double precision as value
    from standings as found
    inner join series
        on series.ticker = found.ticker and series.target = found.target
    inner join ledger as made
        on made.entry_id = found.current_entry and made.finished_at = found.current_at
    union all
    select ticker, entry_id, target, 'rounds_' || member as name, trees::double precision as value
    from (
        select
            found.ticker, made.entry_id, found.target,
            unnest(made.members) as member,
            unnest(made.rounds) as trees
        from standings as found
        inner join series
            on series.ticker = found.ticker and series.target = found.target
        inner join ledger as made
            on made.entry_id = found.current_entry and made.finished_at = found.current_at
    ) as boosted
    where trees is not null
) as measured
left join stocks on stocks.ticker = measured.ticker;
