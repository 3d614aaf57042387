"""Leaflet's own files, read from the installed package, checked, and made fit to stand inside a page."""

from __future__ import annotations

import base64
import hashlib
import re
from functools import cache
from importlib.metadata import distribution
from importlib.resources import files
from typing import NamedTuple

from citygeo.errors import error

# Leaflet 1.9.4; the first is also what leafletjs.com publishes as the integrity of leaflet.js
SHA256 = {
    "leaflet.js": "db49d009c841f5ca34a888c96511ae936fd9f5533e90d8b2c4d57596f4e5641a",
    "leaflet.css": "a7837102824184820dfa198d1ebcd109ff6d0ff9a2672a074b9a1b4d147d04c6",
}
_PACKAGE = "django-js-lib-leaflet"


class Leaflet(NamedTuple):
    """Script, style and licence of Leaflet."""

    script: str
    style: str
    licence: str


@cache
def leaflet() -> Leaflet:
    """
    Return Leaflet, ready to be put inside a page.

    Raises
    ------
    UnsafeInputError
        CG-MAP-004 if an installed file is not the one that was reviewed.
    """
    script, style = _checked("leaflet.js"), _checked("leaflet.css")
    # a page that stands alone has no source map to load
    script = re.sub(r"\n//# sourceMappingURL=.*$", "", script.rstrip())
    licence = distribution(_PACKAGE).read_text("LICENSE")
    if not licence:  # it must stand on every page that carries Leaflet
        raise error("CG-MAP-004", name="LICENSE", package=_PACKAGE)
    return Leaflet(script, re.sub(r"url\(images/([\w-]+\.png)\)", _data_url, style), licence.strip())


def _checked(name: str) -> str:
    content = _read(name)
    if hashlib.sha256(content).hexdigest() != SHA256[name]:
        raise error("CG-MAP-004", name=name, package=_PACKAGE)
    return content.decode("utf-8")


def _read(name: str) -> bytes:
    return files("js_lib_leaflet").joinpath("static", "js_lib_leaflet", *name.split("/")).read_bytes()


def _data_url(match: re.Match[str]) -> str:
    return f"url(data:image/png;base64,{base64.b64encode(_read(f'images/{match[1]}')).decode('ascii')})"
