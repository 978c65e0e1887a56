-- Universes, a row per member.
select anchor, member, prior_weight, advantage, spread, n_stocks, n_rows, fit_s, finished_at
from v_universe
where target = $target
