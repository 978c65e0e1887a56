"""The web application: addresses, and how pages are shown."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import duckdb
from starlette.applications import Starlette
from starlette.middleware import Middleware
from starlette.middleware.trustedhost import TrustedHostMiddleware
from starlette.requests import Request
from starlette.responses import HTMLResponse, PlainTextResponse, Response
from starlette.routing import Mount, Route
from starlette.staticfiles import StaticFiles

from bmastore.dashboard import pages, query, scores, stock
from bmastore.dashboard.asked import Asked
from bmastore.dashboard.blocks import Note, Page
from bmastore.dashboard.shell import STATIC, environment
from bmastore.dashboard.source import Source
from bmastore.errors import BmastoreError
from bmastore.reports.render import render
from bmastore.storage.connect import damaged, is_damage
from bmastore.storage.following import Following
from bmastore.table import Table

# Nothing comes from elsewhere, and nobody else's page may show this one.
_HEADERS = {
    "Content-Security-Policy": "default-src 'self'; style-src 'self' 'unsafe-inline'; "
    "img-src 'self' data:; frame-ancestors 'none'; base-uri 'self'; form-action 'self'",
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "no-referrer",
    "Cache-Control": "no-store",
}
_Read = Callable[[Source, Asked], Page]
# By path, in the order of the menu.
PAGES: dict[str, tuple[str, _Read]] = {
    "": ("Overview", pages.overview),
    "stocks": ("Stocks", pages.stocks),
    "forecasts": ("Forecasts", pages.forecasts),
    "live": ("Live", scores.live),
    "backtests": ("Backtests", scores.backtests),
    "runs": ("Runs", pages.runs),
    "universe": ("Universe", pages.universe),
    "failures": ("Failures", pages.failures),
}
_ONE_OF: dict[str, Callable[[Source, Asked, str], Page | None]] = {
    "stocks": stock.one_stock,
    "runs": pages.one_run,
    "backtests": scores.one_backtest,
}


class Dashboard:
    """Shows pages of a store's published results.

    Parameters
    ----------
    store:
        The store's file.
    base_path:
        What comes before every path, for instance ``/bma``.
    has_sql:
        Whether there is a page for queries of one's own.
    """

    def __init__(self, store: Path, base_path: str = "", *, has_sql: bool = False) -> None:
        self.pages = PAGES | ({"sql": ("SQL", query.sql)} if has_sql else {})
        self._store = store
        self._following = Following(store)
        self._base = base_path.rstrip("/")
        self._templates = environment()

    def show(self, path: str, read: _Read) -> Callable[[Request], Response]:
        """An endpoint for a page that always exists."""

        def endpoint(request: Request) -> Response:
            return self._answer(request, path, read)

        return endpoint

    def show_one(
        self, path: str, read: Callable[[Source, Asked, str], Page | None]
    ) -> Callable[[Request], Response]:
        """An endpoint for one thing of many, by the last part of its path."""

        def endpoint(request: Request) -> Response:
            key = request.path_params["key"]

            def find(source: Source, asked: Asked) -> Page:
                page = None if "\0" in key else read(source, asked, key)
                if page is None:
                    raise _NoSuchPageError(f"there is no {key} among the {path}")
                return page

            return self._answer(request, path, find)

        return endpoint

    def lost(self, request: Request, error: Exception) -> Response:
        """What is shown where there is no such page."""
        return self._page(request, "", Page("Not found", [Note("There is no such page.")]), 404)

    def _answer(self, request: Request, path: str, read: _Read) -> Response:
        asked = self._asked(request)
        try:
            version = self._following.version()
            if asked.get("seen") == version:
                return Response(status_code=204)  # nothing new: the page stays as it is
            with self._source() as source:
                page = read(source, asked)
        except _NoSuchPageError as error:
            return self._page(request, path, Page("Not found", [Note(str(error))]), 404)
        except BmastoreError as error:
            return self._page(request, path, Page("Not possible", [Note(str(error))]), 503)
        if asked.get("format") == "csv":
            return _csv(page.title, page.listing())
        return self._page(request, path, page, 200, version)

    def _asked(self, request: Request) -> Asked:
        path = request.url.path.removeprefix(self._base)
        return Asked(path, dict(request.query_params))

    @contextmanager
    def _source(self) -> Iterator[Source]:
        with self._following.cursor() as duck:
            try:
                yield Source(self._store, duck)
            except duckdb.Error as error:
                if is_damage(error):
                    raise damaged(self._following.path, error) from None
                raise

    def _page(
        self, request: Request, path: str, page: Page, status: int, version: str = ""
    ) -> Response:
        asked = self._asked(request)
        text = self._templates.get_template("page.html").render(
            page=page,
            path=path,
            menu=[(where, title) for where, (title, _) in self.pages.items()],
            base=f"{self._base}/",
            store=self._store.name,
            asked=asked,
            version=version,
        )
        return HTMLResponse(text, status, _HEADERS)


class _NoSuchPageError(BmastoreError):
    """There is nothing of this name."""


def make_app(
    store: Path,
    *,
    base_path: str = "",
    hosts: tuple[str, ...] = ("*",),
    has_sql: bool = False,
) -> Starlette:
    """The application for a store.

    Parameters
    ----------
    base_path, has_sql:
        Those of :class:`Dashboard`.
    hosts:
        Names by which it may be called: a page of somebody else's that had its own name lead here
        could read it otherwise.

    Raises
    ------
    StoreNotFoundError
        If nothing has been published.
    """
    dashboard = Dashboard(store, base_path, has_sql=has_sql)
    routes: list[Any] = [
        Mount("/static", StaticFiles(directory=str(STATIC))),
        *(
            Route(f"/{path}", dashboard.show(path, read), name=title)
            for path, (title, read) in dashboard.pages.items()
        ),
        *(
            Route(f"/{path}/{{key:path}}", dashboard.show_one(path, read))
            for path, read in _ONE_OF.items()
        ),
    ]
    base = base_path.rstrip("/")
    return Starlette(
        routes=[Mount(base, routes=routes)] if base else routes,
        exception_handlers={404: dashboard.lost},
        middleware=[Middleware(TrustedHostMiddleware, allowed_hosts=list(hosts))],
    )


def _csv(title: str, table: Table | None) -> Response:
    if table is None:
        return PlainTextResponse("this page has no table\n", 404, _HEADERS)
    name = "".join(letter if letter.isalnum() else "_" for letter in title)
    headers = {**_HEADERS, "Content-Disposition": f'attachment; filename="{name}.csv"'}
    return Response(render(table, "csv") + "\n", 200, headers, "text/csv")
