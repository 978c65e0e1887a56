"""What the tests of ingest share: counts that must add up, and ways to look at the result."""

import contextlib

from bmastore import Store
from bmastore.errors import BmastoreError


def take(store: Store, data, **options):
    """Ingest, and hold that each row of the input is taken, dropped or repeated."""
    report = store.ingest(data, **options)
    taken = report.rows_new + report.rows_revised + report.rows_unchanged
    dropped = sum(count.n for count in report.dropped)
    assert report.rows_read == taken + dropped + report.rows_repeated, report
    return report


def take_or_refuse(store: Store, data, **options):
    """The report, or ``None`` where the input is refused; any other exception is a fault."""
    with contextlib.suppress(BmastoreError):
        return take(store, data, **options)
    return None


def note(report, text):
    """The count of the report whose text holds ``text``, or ``None``."""
    return next((c for c in (*report.dropped, *report.notes) if text in c.what), None)


def prices(store: Store):
    """All prices of a store."""
    return store.sql("from prices order by ticker, date")


def span(store: Store):
    """Rows, first and last date as text, by ticker."""
    found = store.sql(
        "select ticker, count(*) as n, min(date)::varchar as first, max(date)::varchar as last "
        "from prices group by ticker order by ticker"
    )
    return {row.ticker: (row.n, row.first, row.last) for row in found.itertuples()}


def features(store: Store):
    """Names of the columns of the features table that are no keys."""
    columns = store.sql("select * from features limit 0").columns
    return [name for name in columns if name not in ("ticker", "date")]
