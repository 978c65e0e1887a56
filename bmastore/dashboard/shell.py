"""What all pages share: their templates, and how values look in them. Needs Jinja2."""

from importlib.resources import files

from jinja2 import Environment, PackageLoader, StrictUndefined

from bmastore.dashboard.blocks import Page
from bmastore.dashboard.look import is_numeric, kind_of, shown

STATIC = files("bmastore.dashboard") / "static"
# What a page by itself has inside of it.
_INSIDE = ("LICENSES.txt", "uplot.min.css", "style.css", "uplot.min.js", "app.js")


def environment() -> Environment:
    """The templates of pages and blocks."""
    found = Environment(
        loader=PackageLoader("bmastore.dashboard"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    found.filters["shown"] = shown
    found.filters["kind_of"] = kind_of
    found.tests["numeric"] = is_numeric
    return found


def by_itself(page: Page, store: str) -> str:
    """A page as one text that loads nothing: styles, scripts and their licences are in it."""
    inside = {name: (STATIC / name).read_text(encoding="utf-8") for name in _INSIDE}
    template = environment().get_template("alone.html")
    return template.render(page=page, store=store, inside=inside, asked=None)
