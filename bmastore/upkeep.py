"""The part of a store's interface that takes care of its files, whatever lies in them."""

from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

from bmastore.storage.migrate import migrate
from bmastore.storage.paths import real_path

if TYPE_CHECKING:
    from bmastore.ledger.recover import Recovered
    from bmastore.reports.verify import Verified


class Upkeep:
    """Where a store lies, how it is opened, and what keeps its files whole.

    The attributes are the parameters of :class:`bmastore.Store`.
    """

    def __init__(
        self, path: Path, ledger: str | None, lock_timeout: float, say: Callable[[str], None]
    ) -> None:
        self.path = path
        self.ledger = ledger
        self.lock_timeout = lock_timeout
        self._say = say

    def migrate(self) -> tuple[str, str, Path | None]:
        """Bring an older store up to date; returns versions before and after, and its backup."""
        return migrate(self.path, self.ledger, self.lock_timeout, self._say)

    def verify(self) -> "Verified":
        """Read every block, rule and model; ``findings`` says what is wrong. Changes nothing."""
        from bmastore.reports.verify import verify

        return verify(self.path, self.ledger)

    def recover(self, new: str | Path) -> "Recovered":
        """Make a new store of what can be read of this one; ``lost`` says what can not."""
        from bmastore.ledger.recover import recover

        return recover(self.path, real_path(Path(new)), self.ledger)
