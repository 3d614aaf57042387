"""The folium map that needs no internet."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, cast

import folium  # noqa: TID253  # a subclass needs its base; this module is imported inside functions only
import numpy as np
from branca.element import Element, Figure, MacroElement  # noqa: TID253

from citygeo.io.write import write_text
from citygeo.issues import IssueLog
from citygeo.viz import page
from citygeo.viz.leaflet import leaflet

if TYPE_CHECKING:
    import os
    from collections.abc import Iterable

    import pandas as pd

    from citygeo.viz.layers.layer import Layer
    from citygeo.viz.panel import Panel

ATTRIBUTION = "© OpenStreetMap contributors, ODbL 1.0"
# fixed, so that the script of a page is known before any data is, and equal results give equal bytes
_ID = "citygeo"


class Literal(Element):
    """Text that branca puts on the page as it is, without reading it as a template a second time."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.text = text

    def render(self, **_: Any) -> str:
        """Return the text."""
        return self.text


class Layers(MacroElement):
    """The layers and the panel of a page, as a child of any folium map."""

    def __init__(self) -> None:
        super().__init__()  # type: ignore[no-untyped-call]  # branca
        self._name = "CitygeoLayers"
        self._id = _ID
        self.layers: list[Layer] = []
        self.panel: Panel | None = None
        self.extent: tuple[float, float, float, float] | None = None
        self.attributions: list[str] = []
        self.log = IssueLog()

    def add(self, layers: Iterable[Layer]) -> None:
        """Add layers above the others; one with the key of an earlier one is the same layer."""
        known = {layer.key for layer in self.layers}
        self.layers += [layer for layer in layers if layer.key not in known]

    def bounds(self) -> list[list[float]] | None:
        """Return [[south, west], [north, east]] of what should be seen first."""
        boxes = np.array([self.extent] if self.extent else [layer.bounds() for layer in self.layers])
        boxes = boxes[~np.isnan(boxes).any(axis=1)] if boxes.size else boxes
        if not boxes.size:
            return None
        (west, south), (east, north) = boxes[:, :2].min(axis=0), boxes[:, 2:].max(axis=0)
        return [[float(south), float(west)], [float(north), float(east)]]

    def blobs(self) -> str:
        """Return the data as JSON script elements."""
        keys = [f"{_ID}-layer-{place}" for place in range(len(self.layers))]
        first = {
            "layers": keys,
            "bounds": self.bounds(),
            "panel": self.panel.to_json() if self.panel else None,
            "attribution": list(dict.fromkeys(self.attributions)),
            "simplified": any(issue.code == "CG-MAP-001" for issue in self.log.found),
        }
        parts = [page.blob(f"{_ID}-page", first)]
        parts += [page.blob(key, layer.to_json()) for key, layer in zip(keys, self.layers, strict=True)]
        return "\n".join(parts)

    def render(self, **_: Any) -> None:  # type: ignore[override]  # as branca's own MacroElement
        """Add style, script and data to the page."""
        root, owner = cast("Figure", self.get_root()), cast("folium.Map", self._parent)
        is_ours = isinstance(owner, OfflineMap)
        root.header.add_child(Literal(page.head(with_leaflet=is_ours)), name="citygeo-head")
        root.html.add_child(Literal(self.blobs()), name="citygeo-data")
        if not is_ours:
            root.script.add_child(Literal(draw_call(owner.get_name())), name="citygeo-draw")


class OfflineFigure(Figure):
    """The page around an `OfflineMap`."""

    def __init__(self, owner: OfflineMap) -> None:
        super().__init__(ratio="75%")
        self.header._children.clear()  # noqa: SLF001  # the page has its own charset line
        self.owner = owner

    def has_others(self) -> bool:
        """Tell whether anything but our map and layers was added to the page, which then may hold scripts."""
        ours = {self.owner.get_name(), "citygeo-head", "citygeo-data"}
        parts = (self.header, self.html, self.script)
        return any(name not in ours for part in parts for name in part._children) or any(  # noqa: SLF001
            child is not self.owner for child in self._children.values()
        )

    def render(self, **kwargs: Any) -> str:
        """Return the page; with a Content-Security-Policy unless others added children with scripts."""
        known, csp = map_script(self.owner.get_name()), None
        is_ours = not (self.has_others() or self.owner.has_others())
        for child in list(self._children.values()):
            child.render(**kwargs)
        if is_ours:
            csp = page.policy((leaflet().script, page.own_script(), known))
        return page.document(
            title=self.owner.headline,
            head_html=self.header.render(**kwargs),
            body_html=self.html.render(**kwargs),
            script=known if is_ours else self.script.render(**kwargs),
            csp=csp,
        )


class OfflineMap(folium.Map):
    """
    A folium map that is one file and loads nothing.

    Leaflet stands in the page, there are no tiles, and the data is JSON that no browser runs. Other folium
    elements may be added; those that load scripts of their own need the internet again.

    Attributes
    ----------
    content
        Layers, panel and findings.

    Examples
    --------
    >>> import geopandas, shapely
    >>> from citygeo.viz import explore
    >>> point = geopandas.GeoDataFrame({"name": ["厦门"]}, geometry=[shapely.Point(118.1, 24.5)], crs=4326)
    >>> explore(point)
    <OfflineMap: 1 layer>
    """

    default_js: list[tuple[str, str]] = []  # noqa: RUF012  # folium's own declaration
    default_css: list[tuple[str, str]] = []  # noqa: RUF012

    def __init__(self) -> None:
        super().__init__(tiles=None)
        self._id = _ID
        self.content = Layers()
        self.add_child(self.content)
        figure = OfflineFigure(self)
        figure.add_child(self)

    @property
    def issues(self) -> pd.DataFrame:
        """What was simplified for the map, as a table."""
        return self.content.log.table()

    @property
    def headline(self) -> str:
        """The title of the page."""
        return self.content.panel.headline if self.content.panel else "citygeo"

    def has_others(self) -> bool:
        """Tell whether anything but our layers was added to the map."""
        return any(child is not self.content for child in self._children.values())

    def render(self, **kwargs: Any) -> None:  # type: ignore[override]  # as branca's own MacroElement
        """Add the map to its page: our own markup instead of folium's, which loads from four hosts."""
        root, name = cast("Figure", self.get_root()), self.get_name()
        root.html.add_child(Literal(f'<div class="citygeo-map" id="{name}"></div>'), name=name)
        self.content.render(**kwargs)
        root.script.add_child(Literal(map_script(name)), name=name)
        for child in self._children.values():
            if child is not self.content:
                child.render(**kwargs)

    def save_html(self, path: str | os.PathLike[str]) -> None:
        """
        Write the map as one self-contained page, whole or not at all.

        Parameters
        ----------
        path
            The file.

        Raises
        ------
        FileError
            CG-FILE-012 if it cannot be written.
        """
        write_text(path, self.get_root().render())

    def __repr__(self) -> str:
        count = len(self.content.layers)
        return f"<OfflineMap: {count} layer{'s' if count != 1 else ''}>"


def map_script(name: str) -> str:
    """Return the script that makes the map; it holds no data, so its hash is known beforehand."""
    return f'var {name} = citygeo.makeMap("{name}");\n{draw_call(name)}'


def draw_call(name: str) -> str:
    """Return the script that draws our layers on a map."""
    return f'citygeo.draw({name}, "{_ID}-page");'
