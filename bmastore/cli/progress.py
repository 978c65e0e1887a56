"""Shows how a pass gets on: a bar on a terminal, plain lines elsewhere."""

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

import click

if TYPE_CHECKING:
    from bmastore.workers.dispatch import Progress

_LINE_EVERY_S = 10.0


@contextmanager
def progress(on_terminal: bool) -> Iterator[Callable[["Progress"], None]]:
    """A callback for :meth:`bmastore.Store.train` that shows progress on standard error."""
    if on_terminal:
        with _bar() as show:
            yield show
    else:
        yield _lines()


@contextmanager
def _bar() -> Iterator[Callable[["Progress"], None]]:
    from rich.console import Console
    from rich.progress import BarColumn, MofNCompleteColumn, TextColumn, TimeRemainingColumn
    from rich.progress import Progress as Bar

    bar = Bar(
        TextColumn("training"),
        BarColumn(),
        MofNCompleteColumn(),
        TextColumn("{task.fields[note]}"),
        TimeRemainingColumn(),
        console=Console(stderr=True),
    )
    with bar:
        row = bar.add_task("training", total=None, note="")

        def show(progress: "Progress") -> None:
            bar.update(
                row, total=progress.selected, completed=progress.totals.done, note=_note(progress)
            )

        yield show


def _lines() -> Callable[["Progress"], None]:
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
