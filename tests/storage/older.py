"""Statements that give a ledger on a server the tables of an older bmastore."""

OF_MEMBERS = ("members", "weights", "oof_log_scores", "oof_rmses", "scales", "rounds")
OOF_SCORES = (
    "oof_rows", "oof_rmse", "oof_mse_vs_zero", "oof_log_score", "oof_coverage_80",
    "oof_coverage_90",
)  # fmt: skip
# What makes a ledger what it was before 0014.
TO_0013 = [
    "alter table outcomes drop column centres cascade",
    "alter table outcomes drop column scale cascade",
]
# What makes it, and `series` where it lies there, what they were before 0013.
TO_0012 = [
    *TO_0013,
    "alter table ledger add column artifact_sha256 varchar",
    "update ledger set artifact_sha256 = ensembles.artifact_sha256 from ensembles "
    "where ensembles.entry_id = ledger.entry_id",
    "create table importances as select ticker, target, entry_id, members, features, shares "
    "from ensembles where members is not null",
    "drop table ensembles cascade",
]
# What makes them what they were before 0012.
TO_0011 = [
    *TO_0012,
    "alter table runs drop column only_forecast cascade",
    "alter table runs drop column stale_after cascade",
    "alter table ledger drop column history_since cascade",
    "alter table ledger drop column member_errors cascade",
    "alter table predictions drop column made_at cascade",
    "alter table standings drop column forecast_at cascade",
    "alter table universes drop column features cascade",
    "alter table universes drop column shares cascade",
    "drop table importances cascade",
    "alter table if exists series drop column labelled_digest cascade",
    "alter table if exists series drop column history_since cascade",
]
# What makes a ledger what it was before 0011: members and metrics had tables of their own, and what
# the ledger tells was not kept.
TO_0010 = [
    *TO_0011,
    "create table weights as select entry_id, unnest(members) as member, "
    "unnest(weights) as weight, unnest(oof_log_scores) as oof_log_score, "
    "unnest(oof_rmses) as oof_rmse, "
    "unnest(scales) as scale from ledger",
    "create table metrics as select * from (select entry_id, 'rounds_' || unnest(members) as name, "
    "unnest(rounds)::double precision as value from ledger) as trees where value is not null",
    *(
        f"insert into metrics select entry_id, '{name}', {name} from ledger "
        f"where {name} is not null"
        for name in OOF_SCORES
    ),
    *(f"alter table ledger drop column {name} cascade" for name in (*OF_MEMBERS, *OOF_SCORES)),
    *(
        f"drop table {name} cascade"
        for name in ("standings", "member_days", "outcome_days", "outcome_stocks")
    ),
    "alter table outcomes add column error double precision",
    "update alembic_version set version_num = '0010'",
]
