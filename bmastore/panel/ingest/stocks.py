"""What people know of stocks: name, sector, industry, country; one row per stock."""

from pathlib import Path

import duckdb

from bmastore.errors import InputError
from bmastore.panel.ingest.frames import first_line
from bmastore.panel.ingest.report import Count, IngestReport
from bmastore.storage.paths import named_path
from bmastore.storage.session import Session, Writer
from bmastore.storage.statements import literal, quoted

# The columns that are kept, and what others call them.
_COLUMNS = {
    "ticker": ("ticker", "symbol"),
    "name": ("name", "company", "security"),
    "sector": ("sector", "gics sector", "gics_sector"),
    "industry": ("industry", "gics sub-industry", "gics_sub_industry"),
    "country": ("country",),
}


def ingest_stocks(session: Session, path: str | Path) -> IngestReport:
    """Put the rows of a CSV or Parquet file in place of what was known of their stocks.

    A session that is no :class:`Writer` is told what would be taken, and no more.

    Raises
    ------
    InputError
        If the file cannot be read, has no column of tickers, or names a stock twice in two ways.
    """
    rows, left_out, n_read, n_bare = _read(named_path(path))
    known = {row["ticker"]: row for row in session.ledger_rows("stocks")}
    changed = [row for row in rows if known.get(row["ticker"]) != row]
    notes = []
    if left_out:
        listed = ", ".join(_COLUMNS)
        notes.append(Count(f"columns left out, for stocks have {listed}", 0, tuple(left_out)))
    report = IngestReport(
        "stocks",
        n_read,
        sum(row["ticker"] not in known for row in changed),
        sum(row["ticker"] in known for row in changed),
        len(rows) - len(changed),
        len(rows),
        len(changed),
        (Count("no ticker", n_bare),) if n_bare else (),
        tuple(notes),
        not isinstance(session, Writer),
        n_read - n_bare - len(rows),
    )
    if isinstance(session, Writer) and changed:
        with session.transaction():
            session.change_ledger(
                "forget_stocks", tickers="\n".join(row["ticker"] or "" for row in changed)
            )
            session.insert("stocks", {name: [row[name] for row in changed] for name in _COLUMNS})
    return report


def _read(path: Path) -> tuple[list[dict[str, str | None]], list[str], int, int]:
    """Rows of a file by stock, the columns that are left out, rows read, and those of no stock."""
    reader = "read_parquet" if path.suffix.lower() == ".parquet" else "read_csv"
    options = (
        "" if reader == "read_parquet" else ", all_varchar = true, header = true, quote = '\"'"
    )
    try:
        with duckdb.connect() as duck:
            found = duck.execute(f"select * from {reader}({literal(str(path))}{options})")
            names = [column[0] for column in found.description or ()]
            chosen = _choose(names, path)
            listed = ", ".join(
                f"nullif(trim({quoted(chosen[name])}::varchar), '') as {name}"
                if name in chosen
                else f"null::varchar as {name}"
                for name in _COLUMNS
            )
            cells = duck.execute(
                f"select {listed} from {reader}({literal(str(path))}{options})"
            ).fetchall()
    except duckdb.Error as error:
        raise InputError(f"cannot read {path}: {first_line(error)}") from None
    by_ticker: dict[str, dict[str, str | None]] = {}
    for row in cells:
        one = dict(zip(_COLUMNS, row, strict=True))
        ticker = one["ticker"]
        if ticker is None:
            continue
        if by_ticker.setdefault(ticker, one) != one:
            raise InputError(f"{path} has {ticker} twice, with other words; leave one row of it")
    bare = sum(row[0] is None for row in cells)
    left_out = [name for name in names if name not in chosen.values()]
    return list(by_ticker.values()), left_out, len(cells), bare


def _choose(names: list[str], path: Path) -> dict[str, str]:
    """Which of a file's columns is which."""
    lower = {name.strip().lower(): name for name in names}
    chosen = {
        role: next(lower[word] for word in words if word in lower)
        for role, words in _COLUMNS.items()
        if any(word in lower for word in words)
    }
    if "ticker" not in chosen:
        raise InputError(f"{path} has no column ticker; it has {', '.join(names)}")
    return chosen
