"""The page: Leaflet, our script and style, and the layers as JSON; nothing from anywhere else."""

from __future__ import annotations

import base64
import hashlib
from functools import cache
from importlib.resources import files
from typing import TYPE_CHECKING, Any

from citygeo.viz.escape import esc, js
from citygeo.viz.leaflet import leaflet

if TYPE_CHECKING:
    from collections.abc import Sequence

SCRIPTS = ("decode.js", "symbols.js", "dom.js", "layers.js", "square.js", "panels.js", "slider.js", "map.js")
STYLE = "map.css"


@cache
def template(name: str) -> str:
    """Return a packaged template."""
    return files("citygeo").joinpath("viz", "templates", name).read_text(encoding="utf-8")


@cache
def own_script() -> str:
    """Return the script that draws the layers."""
    return "\n".join(template(name) for name in SCRIPTS)


def head(*, with_leaflet: bool) -> str:
    """Return styles and scripts for the page's head; our own need Leaflet, but not necessarily our copy."""
    own = f"<style>{template(STYLE)}</style>\n<script>{own_script()}</script>"
    if not with_leaflet:
        return own
    copy = leaflet()
    # a comment ends at "--"; a licence text has none, and if it ever had, it must not end it
    licence = copy.licence.replace("--", "- -")
    return (
        f"<!-- Leaflet (leaflet.js, leaflet.css):\n{licence}\n-->\n"
        f"<style>{copy.style}</style>\n<script>{copy.script}</script>\n{own}"
    )


def blob(name: str, obj: Any) -> str:
    """Return a script element of JSON, which no browser runs."""
    return f'<script type="application/json" id="{esc(name)}">{js(obj)}</script>'


def policy(scripts: Sequence[str]) -> str:
    """
    Return a Content-Security-Policy that runs these scripts, loads nothing and shows inline pictures.

    The hashes are of the pieces before assembly: what leaked into the page has none, and does not run.
    """
    digests = [base64.b64encode(hashlib.sha256(text.encode()).digest()).decode() for text in scripts]
    allowed = " ".join(f"'sha256-{digest}'" for digest in digests)
    return (
        f"default-src 'none'; script-src {allowed}; style-src 'unsafe-inline'; img-src data:; "
        "base-uri 'none'; form-action 'none'"
    )


def document(*, title: str, head_html: str, body_html: str, script: str, csp: str | None) -> str:
    """Return the whole page; every part but `title` is already safe."""
    meta = f'<meta http-equiv="Content-Security-Policy" content="{csp}">\n' if csp else ""
    return (
        f'<!DOCTYPE html>\n<html lang="en">\n<head>\n<meta charset="utf-8">\n{meta}'
        '<meta name="viewport" content="width=device-width, initial-scale=1">\n'
        f"<title>{esc(title)}</title>\n{head_html}\n</head>\n<body>\n{body_html}\n"
        f"<script>{script}</script>\n</body>\n</html>\n"
    )
