"""What the command line tells people, line by line."""

from collections import Counter
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from bmastore.table import Table

if TYPE_CHECKING:
    from bmastore.evaluation.monitor import MonitorReport
    from bmastore.evaluation.report import BacktestReport
    from bmastore.ledger.recover import Recovered
    from bmastore.panel.ingest.report import Count, IngestReport
    from bmastore.reports.explain import Explanation
    from bmastore.reports.queries import Status
    from bmastore.reports.verify import Verified
    from bmastore.storage.compact import Compacted
    from bmastore.storage.mirror import Sent
    from bmastore.training.plan import Plan
    from bmastore.training.run import RunSummary

_EXAMPLES = 10
# How many of the features that moved a forecast are named.
_FEATURES = 5


def ingested(taken: "IngestReport") -> list[str]:
    """What an ingest took, dropped and noted."""
    unit = "price rows" if taken.kind == "prices" else "rows"
    if taken.kind == "stocks":
        unit = "rows of what is known"
    lines = [
        f"{taken.rows_read:,} {unit} of {taken.tickers:,} stocks: {taken.rows_new:,} new, "
        f"{taken.rows_revised:,} revised, {taken.rows_unchanged:,} unchanged; "
        f"{taken.tickers_changed:,} stocks changed"
    ]
    lines += [f"  dropped  {_count(count)}" for count in taken.dropped]
    lines += [f"  note     {_count(count)}" for count in taken.notes]
    if taken.dry_run:
        lines.append("  dry run: nothing was stored")
    return lines


def trained(
    summary: "RunSummary", store: Path, *, is_of_all: bool = False, looks_back: bool = False
) -> list[str]:
    """What a pass did, of pending stocks or of all, and where to read more."""
    line = (
        f"{summary.selected:,} selected: {summary.trained:,} trained, {summary.failed:,} failed, "
        f"{summary.skipped:,} skipped"
    )
    if summary.only_forecast:
        line = f"{summary.only_forecast:,} only forecast, {line}"
    line += f" in {summary.wall_s:.1f} s"
    if summary.selected:
        line += (
            f" ({summary.stocks_per_s:.1f} stocks/s, {summary.workers} workers, "
            f"peak {summary.peak_rss_mb:,.0f} MB)"
        )
    lines = [line]
    if summary.failed or summary.skipped:
        # What a look back could not train counts for nothing, and so is no failure of today.
        runs = ", ".join(f"'{one.run_id}'" for one in summary.runs or (summary,))
        of_runs = f'"from v_entries where run_id in ({runs})"'
        why = of_runs if looks_back else "--named failure_reasons"
        lines.append(f"  why: bmastore sql {why} --store {store}")
    lines += [
        f"  member {name} failed on {n:,} stocks, which were averaged without it; why: "
        f"bmastore sql --named member_failures --store {store}"
        for name, n in summary.member_failures.items()
    ]
    if summary.not_forecast:
        lines += [
            f"  not forecast: {ticker}: {reason}" for ticker, reason in summary.not_forecast.items()
        ][:_EXAMPLES]
        lines.append(
            f"  {len(summary.not_forecast):,} stocks could not be forecast; train them again: "
            f"bmastore train --all --tickers A,B --store {store}"
        )
    if summary.interrupted:
        lines.append(
            "  interrupted; what was trained is kept, and the same command begins with all again"
            if is_of_all
            else "  interrupted; run the same command again to go on"
        )
    return lines


def planned(plan: "Plan") -> list[str]:
    """What a pass would do."""
    outline = plan.outline()
    lines = []
    if outline.only_forecast:
        lines.append(f"would forecast new rows of {outline.only_forecast:,} stocks, without a fit")
    if not outline.selected:
        lines.append(f"nothing is pending for {outline.target}: no stock would be trained")
        return lines
    causes = ", ".join(f"{n:,} {cause}" for cause, n in outline.causes.items())
    lines += [
        f"would train {outline.selected:,} stocks ({causes}) for {outline.target} by preset "
        f"{outline.preset} with {outline.workers} workers",
        f"  universe: {outline.universe}",
        f"  folds that may be used again: {outline.folds_remembered:,}",
    ]
    if plan.options.time_per_stock is not None:
        lines.append(
            "  a pass measures first which preset --time-per-stock allows, unless one with "
            "the same budget has"
        )
    if outline.seconds is not None:
        lines.append(
            f"  about {outline.seconds:.0f} s, at {outline.seconds_per_stock:.3f} CPU seconds "
            f"per stock as in the last run of this preset"
        )
    return [*lines, "  dry run: nothing was trained or stored"]


def verified(found: "Verified", store: Path) -> list[str]:
    """Whether a store is whole, and what was looked at."""
    looked = f"{found.tables} tables with {found.rows:,} rows, {found.models:,} models"
    n = len(found.findings)
    if not n:
        return [f"{store} is whole: {looked}"]
    return [f"{n} thing{'s are' if n > 1 else ' is'} wrong with {store} (looked at {looked})"]


def published(sent: "Sent") -> list[str]:
    """What was sent where."""
    n = sum(sent.rows.values())
    what = ", ".join(f"{rows:,} of {name}" for name, rows in sent.rows.items() if rows)
    return [f"{n:,} rows sent to {sent.place}{f': {what}' if what else ''}"]


def recovered(found: "Recovered", new: Path) -> list[str]:
    """What a recovery could not save, and how to go on."""
    if not found.lost:
        return [f"nothing is lost; {new} is a whole store"]
    return [f"{new} is a whole store; lost are", *(f"  {one}" for one in found.lost)]


# What a table on a screen has room for, and to how many decimals.
_OVERVIEW = {
    "mse_vs_zero": 4,
    "ic": 4,
    "icir": 2,
    "ic_t": 1,
    "crps_vs_zero": 3,
    "brier_vs_half": 3,
    "signs_right": 3,
    "coverage_50": 3,
    "coverage_80": 3,
    "coverage_90": 3,
    "dm": 1,
}


def overview(scores: Table) -> Table:
    """The scores of a backtest as people read them: the main slices and columns, rounded."""
    rows = [
        (
            f"{row['part']} liquidity" if row["slice"] == "liquidity" else row["part"],
            row["forecaster"],
            *(_rounded(row[name], n) for name, n in _OVERVIEW.items()),
        )
        for row in scores.records()
        if row["slice"] != "sector"  # too many for a screen
    ]
    names = (name.replace("coverage_", "in_") for name in _OVERVIEW)
    types = ("VARCHAR", "VARCHAR", *["DOUBLE"] * len(_OVERVIEW))
    return Table(("part", "forecaster", *names), types, rows)


def backtested(report: "BacktestReport", store: Path) -> list[str]:
    """What a backtest did, and where to read more."""
    n = len(report.cutoffs)
    lines = [
        f"{report.n_stocks:,} stocks, {n} cutoff{'s' if n > 1 else ''} from {report.cutoffs[0]} to "
        f"{report.cutoffs[-1]}, in {report.wall_s:.1f} s; all of it: "
        f"bmastore sql 'from v_backtest' --store {store}"
    ]
    if report.n_left_out:
        lines.append(
            f"  {report.n_left_out:,} stocks were left out: at each cutoff too short a history for "
            f"all members, or no label after"
        )
    lines += [f"  failed  {ticker}: {reason}" for ticker, reason in report.failures.items()]
    return lines


def monitored_before(report: "MonitorReport") -> list[str]:
    """Of what live scores there are."""
    if not report.days:
        return [
            f"{report.target}: no forecast has met its label yet; train, and ingest the days that "
            f"come after"
        ]
    lines = [
        f"{report.target}: outcomes of {report.days:,} days, the newest {report.last_date}; "
        f"{report.settled:,} settled now"
    ]
    if report.reference == "nothing":
        lines.append(
            "  nothing to compare them with yet: that takes 40 days, of bmastore backtest or live"
        )
    else:
        lines.append(f"  beside the {_REFERENCES[report.reference]}")
    return lines


_REFERENCES = {"backtest": "newest backtest", "earlier days": "live days before the last 60"}


def live_skill(reports: "Sequence[MonitorReport]", *, is_rounded: bool) -> Table:
    """Live scores of all targets (at least one), as people read them where they are rounded."""
    tables = [report.table for report in reports]
    rows = [row for table in tables for row in table.rows]
    if is_rounded:
        rows = [(*row[:3], *map(_rounded, row[3:], (4, 4, 4, 1))) for row in rows]
    return Table(tables[0].columns, tables[0].types, rows)


def _rounded(value: float | None, n: int) -> float | None:
    return None if value is None else round(value, n)


def monitored_after(report: "MonitorReport") -> list[str]:
    """What is alarming, and which stocks have become stale."""
    lines = []
    if report.decayed:
        tickers = tuple(
            f"{one.ticker} ({one.coverage_80:.0%} in 80 %)"
            for one in sorted(report.decayed, key=lambda one: one.p)
        )
        listed = ", ".join(tickers[:_EXAMPLES])
        more = f" and {len(tickers) - _EXAMPLES:,} more" if len(tickers) > _EXAMPLES else ""
        lines.append(
            f"  intervals of {len(tickers):,} of {report.stocks:,} stocks no longer hold, these "
            f"are stale now: {listed}{more}"
        )
    lines += [f"  alarm: {one}" for one in report.alarms]
    if report.days and not report.alarms:
        lines.append("  no alarm")
    return lines


def _count(count: "Count") -> str:
    text = f"{count.n:,} {count.what}" if count.n else count.what
    if not count.examples:
        return text
    more = len(count.examples) - _EXAMPLES
    listed = ", ".join(count.examples[:_EXAMPLES])
    return f"{text}: {listed} and {more} more" if more > 0 else f"{text}: {listed}"


def last_run(run: dict[str, Any]) -> str:
    """A run in one line."""
    forecast = f"{run['only_forecast']} only forecast, " if run["only_forecast"] else ""
    text = (
        f"last run {run['run_id'][:8]} {run['status']}, begun {run['started_at']:%Y-%m-%d %H:%M} "
        f"UTC: {forecast}{run['selected']} selected, {run['trained']} trained, "
        f"{run['failed']} failed, {run['skipped']} skipped"
    )
    if run["wall_s"]:
        text += f" in {run['wall_s']:.1f} s"
        if run["selected"]:
            text += f", {run['stocks_per_s']:.1f} stocks/s"
    return text


def size(found: "Status") -> str:
    """The size of a store, and what could be saved of it."""
    said = f"{found.size / 2**20:,.0f} MB"
    if found.free > found.size / 4:
        said += f", of which bmastore compact would save {found.free / 2**20:,.0f}"
    return said


def compacted(found: "Compacted", store: Path) -> str:
    """What a compaction has saved."""
    sizes = f"{store}: {found.before / 2**20:,.1f} MB → {found.after / 2**20:,.1f} MB"
    return f"{sizes}; {found.archived:,} entries archived" if found.archived else sizes


def to_trust(types: Table) -> list[str]:
    """How to have members of one's own read."""
    unknown = sorted({row["type"] for row in types.records() if not row["trusted"]})
    if not unknown:
        return ["nothing waits to be trusted"]
    return [
        "a type is code that runs when such a member is read; if you know where these come from:",
        f"  export BMASTORE_TRUST={','.join(unknown)}",
    ]


def explanation(found: "Explanation") -> list[str]:
    """An explanation for people, line by line."""
    lines = []
    for stock in found.facts.records():
        lines += _explain_stock(stock)
        for row in found.members.records():
            if row["target"] == stock["target"]:
                lines.append(f"  {row['member']:<6} weight {row['weight']:.3f}; {_did(row)}")
        if found.contributions is not None:
            parts = found.contributions.records()
            lines += _reasons([one for one in parts if one["target"] == stock["target"]])
    if found.no_reasons:
        lines.append(f"  what moved its forecast cannot be told: {found.no_reasons}")
    return lines


def _did(member: dict[str, Any]) -> str:
    """How a member did out of fold."""
    if member["member_error"]:
        return f"failed: {member['member_error']}"
    return f"out of fold: log score {member['oof_log_score']:.3f}, rmse {member['oof_rmse']:.4f}"


def _reasons(parts: list[dict[str, Any]]) -> list[str]:
    """What a forecast is the sum of, by member and by feature."""
    from bmastore.reports.contributions import BASE, FEATURE, UNDIVIDED

    if not parts:
        return []
    members, features, others = Counter[str](), Counter[str](), Counter[str]()
    for one in parts:
        added = one["contribution"]
        members[one["member"]] += added
        if one["part"] == FEATURE:
            features[one["feature"]] += added
        else:
            others[BASE if one["part"] == BASE else one["member"]] += added
    weights = {one["member"]: one["weight"] for one in parts}
    values = {one["feature"]: _number(one["value"]) for one in parts if one["part"] == FEATURE}
    ranked = sorted(features, key=lambda name: -abs(features[name]))
    moved, left = ranked[:_FEATURES], ranked[_FEATURES:]
    notes = {one["member"]: "not told apart" for one in parts if one["part"] == UNDIVIDED}
    if left:
        others[f"{len(left)} others"] = sum(features[name] for name in left)
    by_member = [
        (name, added, f"{weights[name]:.3f} of {added / weights[name]:+.6f}")
        for name, added in sorted(members.items(), key=lambda item: -abs(item[1]))
    ]
    by_feature = [
        *((name, features[name], f"at {values[name]}") for name in moved),
        *((name, added, notes.get(name, "")) for name, added in others.items()),
    ]
    room = max(len(name) for name, *_ in (*by_member, *by_feature))
    return [
        f"  forecast of {parts[0]['date']}: mean {members.total():+.6f}",
        "  by member, its weight times its own forecast:",
        *(f"    {name:<{room}}  {added:+.6f}  {note}".rstrip() for name, added, note in by_member),
        "  by feature, what its value adds:",
        *(f"    {name:<{room}}  {added:+.6f}  {note}".rstrip() for name, added, note in by_feature),
    ]


def _number(value: float | None) -> str:
    return "no value" if value is None else f"{value:.5g}"


def _explain_stock(stock: dict[str, Any]) -> list[str]:
    from bmastore.reports.explain import CAUSES

    line = f"{stock['ticker']} is {stock['status']} ({stock['target']})"
    if stock["cause"]:
        line += f"; cause {stock['cause']}: {CAUSES[stock['cause']]}"
    newest = f"the newest is of {stock['last_date']}" if stock["last_date"] else "none has features"
    lines = [line, f"  rows: {stock['n_rows']} with a label; of all rows {newest}"]
    if stock["entry_id"]:
        lines.append(
            f"  attempt {stock['attempt']}: {stock['last_status']} on "
            f"{stock['finished_at']:%Y-%m-%d %H:%M} UTC, cause {stock['last_cause']}, preset "
            f"{stock['preset']}, cutoff {stock['cutoff']}, {stock['fit_s']:.2f} CPU seconds"
        )
        lines += [
            f"  {name}: then {stock[name]}, now {stock[f'{name}_now']}"
            for name in ("data_digest", "config_hash", "code_version")
            if stock[name] != stock[f"{name}_now"]
        ]
        if stock["cause"] is None and stock["data_digest"] != stock["data_digest_now"]:
            lines.append(
                f"  {stock['new_labels']} new labels have come since; it is trained again after "
                f"{stock['stale_after']} (--stale-after of the last run), until then only forecast"
            )
    if stock["error_type"]:
        lines.append(f"  {stock['error_type']}: {stock['error_message']}")
    return lines
