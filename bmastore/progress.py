"""Shows how a pass gets on: a bar on a terminal and in a notebook, plain lines elsewhere."""

import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from importlib.util import find_spec
from typing import TYPE_CHECKING

import click

if TYPE_CHECKING:
    from rich.console import Console

    from bmastore.workers.dispatch import Progress

_LINE_EVERY_S = 10.0


_Show = Callable[["Progress"], None]


@contextmanager
def progress(on_terminal: bool) -> Iterator[_Show]:
    """A callback for :meth:`bmastore.Store.train` that shows progress on standard error."""
    if on_terminal:
        from rich.console import Console

        with _bar(Console(stderr=True)) as show:
            yield show
    else:
        yield _lines()


@contextmanager
def told(on_progress: _Show | None) -> Iterator[_Show | None]:
    """The caller's own callback; without one, a bar where the caller is a notebook."""
    console = _of_notebook() if on_progress is None else None
    if console is None:
        yield on_progress
    else:
        with _bar(console) as show:
            yield show


def _of_notebook() -> "Console | None":
    """Where a notebook shows a bar; ``None`` where there is none, or it has no widgets."""
    if "IPython" not in sys.modules or find_spec("ipywidgets") is None:
        return None
    from rich.console import Console

    console = Console()
    return console if console.is_jupyter else None


@contextmanager
def _bar(console: "Console") -> Iterator[_Show]:
    from rich.progress import BarColumn, MofNCompleteColumn, TextColumn, TimeRemainingColumn
    from rich.progress import Progress as Bar

    bar = Bar(
        TextColumn("training"),
        BarColumn(),
        MofNCompleteColumn(),
        TextColumn("{task.fields[note]}"),
        TimeRemainingColumn(),
        console=console,
    )
    with bar:
        row = bar.add_task("training", total=None, note="")

        def show(progress: "Progress") -> None:
            bar.update(
                row, total=progress.selected, completed=progress.totals.done, note=_note(progress)
            )

        yield show


def _lines() -> _Show:
    last = time.monotonic()

    def show(progress: "Progress") -> None:
        nonlocal last
        if time.monotonic() - last >= _LINE_EVERY_S:
            last = time.monotonic()
            left = (
                (progress.selected - progress.totals.done) * progress.seconds / progress.totals.done
            )
            click.echo(
                f"{progress.totals.done} of {progress.selected} stocks, {_note(progress)}, "
                f"{left:.0f} s left",
                err=True,
            )

    return show


def _note(progress: "Progress") -> str:
    rate = progress.totals.done / progress.seconds
    return (
        f"{progress.totals.failed} failed, {rate:.1f} stocks/s, {progress.workers} workers, "
        f"{progress.memory / 2**20:.0f} MB"
    )
