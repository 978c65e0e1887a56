"""``bmastore docs``."""

import sys
from pathlib import Path

import click

from bmastore.errors import ConfigError

_PAGES = Path(__file__).parents[1] / "docs"


@click.command()
@click.argument("topic", required=False)
def docs(topic: str | None) -> None:
    """Show a page of the documentation; without a TOPIC, list them."""
    pages = {path.stem: path for path in sorted(_PAGES.glob("*.md"))}
    if topic is None:
        width = max(map(len, pages))
        for name, path in pages.items():
            title = path.read_text(encoding="utf-8").splitlines()[0].removeprefix("# ")
            click.echo(f"{name:<{width}}  {title}")
        return
    if topic not in pages:
        raise ConfigError(f"there is no page {topic!r}; there are {', '.join(pages)}")
    text = pages[topic].read_text(encoding="utf-8")
    if sys.stdout is None or not sys.stdout.isatty():
        click.echo(text, nl=False)
        return
    from rich.console import Console
    from rich.markdown import Markdown

    Console().print(Markdown(text))
