"""Whether two stores hold the same results to the bit: python -m tests.same ONE.duckdb OTHER.duckdb

For changes that must change no result: train one store before and one after. Ids, times and
costs are left out; what they join is compared by ticker and attempt.
"""

import sys

import duckdb

KEY = "ledger.ticker, ledger.target, ledger.attempt"
QUERIES = {
    "series": "select ticker, target, n_rows, first_date, last_date, digest from {db}.series",
    "ledger": "select ticker, target, status, cause, data_digest, config_hash, code_version, "
    "preset, n_rows, first_date, last_date, cutoff, attempt, error_type, error_message, "
    "universe_sha256 from {db}.ledger",
    "ensembles": "select ticker, target, artifact_sha256, members, features, shares "
    "from {db}.ensembles",
    "members": f"select {KEY}, members, weights, oof_log_scores, oof_rmses, scales, rounds, "
    "oof_rows, oof_rmse, oof_mse_vs_zero, oof_log_score, oof_coverage_80, "
    "oof_coverage_90 from {db}.ledger",
    "predictions": f"select {KEY}, predictions.* exclude (entry_id, ticker, target, made_at) "
    "from {db}.predictions join {db}.ledger using (entry_id)",
    "oof": "select ticker, target, date, member, fold, prediction from {db}.oof",
    "universes": "select target, anchor, config_hash, code_version, n_rows, n_stocks, "
    "artifact_sha256, member, prior_weight, advantage, spread from {db}.universes",
}


def main(one, other):
    duck = duckdb.connect()
    for name, path in (("one", one), ("other", other)):
        duck.execute(f"attach '{path}' as {name} (read_only)")
    differ = 0
    for table, query in QUERIES.items():
        a, b = (query.format(db=name) for name in ("one", "other"))
        rows = duck.sql(f"select count(*) from ({a})").fetchone()[0]
        different = duck.sql(
            f"select count(*) from (({a} except all {b}) union all ({b} except all {a}))"
        ).fetchone()[0]
        differ += different
        print(f"{table:<12} {rows:>10,} rows, {different:>6,} differ")
    sys.exit(bool(differ))


if __name__ == "__main__":
    main(*sys.argv[1:])
