"""The part of a store's interface that takes care of it: of its files, and of its forecasts."""

from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager
from datetime import date
from pathlib import Path
from typing import TYPE_CHECKING

from bmastore.calendar import as_day
from bmastore.errors import ConfigError, StoreError
from bmastore.storage.identity import store_id
from bmastore.storage.migrate import migrate
from bmastore.storage.paths import named_path, real_path
from bmastore.storage.postgres import open_server
from bmastore.storage.session import Writer, open_reader, open_writer
from bmastore.storage.urls import is_meant_as_url
from bmastore.storage.versions import check_version

if TYPE_CHECKING:
    from bmastore.evaluation.monitor import MonitorReport
    from bmastore.ledger.recover import Recovered
    from bmastore.reports.verify import Verified
    from bmastore.storage.compact import Compacted
    from bmastore.storage.mirror import Sent
    from bmastore.table import Table


class Upkeep:
    """Where a store lies, how it is opened for writing, and what watches over it.

    The attributes are the parameters of :class:`bmastore.Store`.
    """

    def __init__(
        self, path: Path, ledger: str | None, lock_timeout: float, say: Callable[[str], None]
    ) -> None:
        self.path = path
        self.ledger = ledger
        self.lock_timeout = lock_timeout
        self._say = say

    def monitor(self, target: str | tuple[str, ...] | None = None) -> "tuple[MonitorReport, ...]":
        """Settle forecasts, and compare what they do live with the newest backtest.

        A report per target; ``alarms`` says in sentences what is wrong. Stocks whose intervals no
        longer hold become stale, with cause ``decay``.

        Raises
        ------
        ConfigError, StoreError
            If the store has no such target, or none at all.
        """
        from bmastore.evaluation.monitor import monitor

        with self._writing() as writer:
            return monitor(writer, target)

    def migrate(self) -> tuple[str, str, Path | None]:
        """Bring an older store up to date; returns versions before and after, and its backup."""
        from bmastore.ledger.derived import tell_all

        return migrate(self.path, self.ledger, self.lock_timeout, self._say, tell_all)

    def types(self, trusted: Sequence[str] = ()) -> "Table":
        """Types of members of one's own in the ensembles in use, and which are ``trusted``."""
        from bmastore.reports.own_types import types_of_members

        with open_reader(self.path) as reader:
            return types_of_members(reader, trusted)

    def export(self, what: str, path: str | Path, *, fmt: str = "parquet") -> int:
        """Write ``"prices"``, or ``"features"`` with the targets, to a file; returns its rows.

        As ``"parquet"`` or ``"csv"``, which can be ingested again. Raises :class:`ConfigError` if
        there is no such part or format, or something else at the path.
        """
        from bmastore.panel.export import export_panel

        return export_panel(self.path, what, named_path(path), fmt)

    def grant(self, role: str) -> None:
        """Let a role of the server with the ledger read all views, and nothing else.

        Raises
        ------
        ConfigError
            If no server is named: a file has no roles.
        StoreError
            If the server has no such role, or no ledger.
        """
        if self.ledger is None:
            raise ConfigError(
                "rights are granted on a PostgreSQL server; name its database with --ledger or "
                "BMASTORE_LEDGER. Who may read a file is for its folder to say"
            )
        with open_server(self.ledger, is_alone=False) as server:
            found = server.version()
            if found is None:
                raise StoreError(f"{server.place} has no ledger; `bmastore ingest` makes one")
            check_version(found, server.place, self.path)
            server.grant(role)

    def publish(self, to: str | Path) -> "Sent":
        """Bring what people read elsewhere up to the results; changes nothing in the store.

        While a pass runs, that is up to its published results.

        Parameters
        ----------
        to:
            URL of a PostgreSQL database of its own, which then mirrors the results with all views,
            or a folder for a Parquet file per view.

        Raises
        ------
        ConfigError
            If the folder holds anything else, or its name looks like an address.
        StoreError
            If the database belongs to another store, is the ledger itself or holds anything else.
        """
        from bmastore.storage import folder, mirror

        with open_reader(self.path) as reader:
            if reader.note:
                self._say(reader.note)
            own_id = store_id(reader.duck) or ""
            if "://" in str(to):
                return mirror.send(reader.duck, self.path, own_id, str(to))
        if is_meant_as_url(str(to)):
            # It is not repeated, for it may hold a password.
            raise ConfigError(
                "the place to publish to is no URL, and looks like one: write "
                "postgresql://user@host/database, or a folder of such a name as ./name"
            )
        return folder.write_views(self.path, own_id, named_path(to))

    def superset(self, output: str | Path, database_url: str | None = None) -> int:
        """Write dashboards for Superset to a zip file; returns how many charts there are.

        They show the published results, or a PostgreSQL database with the ledger or a mirror. Its
        password is not written: Superset asks for it.
        """
        from bmastore.reports.superset.bundle import write_bundle

        return write_bundle(self.path, named_path(output), database_url)

    def compact(self, archive_before: date | None = None) -> "Compacted":
        """Write the store anew without the room that what is gone has left; returns its sizes.

        Parameters
        ----------
        archive_before:
            First move entries that ended before this date, and that others have superseded, to a
            Parquet file in the folder ``<name>.archive``, from which :meth:`Store.sql` reads them
            as before.

        Raises
        ------
        ConfigError
            If that is no date, or entries are to be moved and the ledger lies on a server.
        StoreError
            If there is no room for it.
        """
        from bmastore.storage.compact import compact
        from bmastore.storage.publish import publish

        if archive_before is not None and self.ledger is not None:
            raise ConfigError("the ledger lies on a server: archive its history there")
        before = as_day("archive_before", archive_before)
        with self._writing() as writer:
            found = compact(writer, before)
        with self._writing() as writer:
            publish(writer)
        return found

    def verify(self) -> "Verified":
        """Read every block, rule and model; ``findings`` says what is wrong. Changes nothing."""
        from bmastore.reports.verify import verify

        return verify(self.path, self.ledger)

    def recover(self, new: str | Path) -> "Recovered":
        """Make a new store of what can be read of this one; ``lost`` says what can not."""
        from bmastore.ledger.recover import recover

        return recover(self.path, real_path(new), self.ledger)

    def _writing(self, *, create: bool = False) -> AbstractContextManager[Writer]:
        """The store held for writing."""
        return open_writer(
            self.path,
            ledger_url=self.ledger,
            create=create,
            patience=self.lock_timeout,
            say=self._say,
        )
