"""``bmastore dashboard``."""

import socket
from pathlib import Path

import click

from bmastore.cli.options import say, store_option
from bmastore.errors import ConfigError


@click.command()
@click.option("--host", default="127.0.0.1", show_default=True, help="Address to listen at.")
@click.option(
    "--port",
    type=click.IntRange(0, 65535),
    default=8765,
    show_default=True,
    help="Port to listen at; 0 takes a free one.",
)
@click.option("--base-path", default="", help="What comes before every path, for a proxy: /bma.")
@click.option("--open", "opens", is_flag=True, help="Open it in the browser.")
@click.option("--sql", "has_sql", is_flag=True, help="A page for queries of one's own, too.")
@store_option
def dashboard(
    host: str, port: int, base_path: str, opens: bool, has_sql: bool, store: Path
) -> None:
    """Show the store in the browser, until Ctrl-C; it only reads published results."""
    serve(store, host, port, base_path, opens=opens, has_sql=has_sql)


def serve(
    store: Path,
    host: str = "127.0.0.1",
    port: int = 8765,
    base_path: str = "",
    *,
    opens: bool = False,
    has_sql: bool = False,
) -> None:
    """Show a store until the process is told to end.

    Raises
    ------
    ConfigError
        If a library is missing, or the address is taken.
    StoreNotFoundError
        If nothing has been published.
    """
    try:
        import uvicorn

        from bmastore.dashboard.app import make_app
    except ModuleNotFoundError as error:
        raise ConfigError(
            f"the dashboard needs {error.name}; run: pip install 'bmastore[dashboard]'"
        ) from None
    if base_path and not base_path.startswith("/"):
        raise ConfigError(f"--base-path begins with a slash, not {base_path!r}")
    # A name of somebody else's that leads here must not show the store to his pages.
    is_loopback = host in ("127.0.0.1", "localhost", "::1")
    hosts = ("127.0.0.1", "localhost", "::1", "[::1]") if is_loopback else ("*",)
    app = make_app(store, base_path=base_path, hosts=hosts, has_sql=has_sql)
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    try:
        listening = socket.create_server((host, port), family=family)
    except OSError as error:
        raise ConfigError(
            f"cannot listen at {host}, port {port}: {error.strerror}; try --port 0"
        ) from None
    server = uvicorn.Server(uvicorn.Config(app, log_level="warning", access_log=False))
    name = f"[{host}]" if ":" in host else host
    address = f"http://{name}:{listening.getsockname()[1]}{base_path}/"
    say([f"{address} shows {store}; Ctrl-C ends it"])
    if not is_loopback:
        say(["whoever reaches this address can read the results: it has no passwords of its own"])
    if opens:
        click.launch(address)
    server.run(sockets=[listening])
