"""One map of one or more results."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

from citygeo.viz.panel import Panel
from citygeo.viz.results import is_plain, layers_and_panel, map_extent
from citygeo.viz.text import Label

if TYPE_CHECKING:
    import folium

    from citygeo.viz.map import Layers


def explore(*results: Any, title: str | tuple[str, str] | None = None, m: folium.Map | None = None) -> Any:
    """
    Draw results on a map that needs no internet.

    Parameters
    ----------
    *results
        Coverage, ServiceArea, Isochrones, RoadNetwork, NetworkReport or GeoDataFrame, drawn from the lowest to
        the highest. A GeoDataFrame is named by its ``attrs["name"]`` and ``attrs["name_zh"]``.
    title
        Heading of the map instead of the result's own.
    m
        A folium map to draw on. Default: a new `OfflineMap`.

    Returns
    -------
    The map; ``save_html(path)`` of an `OfflineMap` writes one self-contained page.

    Raises
    ------
    InputError
        CG-MAP-003 for a result that cannot be drawn.
    CRSError
        CG-CRS-001 for a layer without CRS.

    Examples
    --------
    >>> import geopandas, shapely
    >>> point = geopandas.GeoDataFrame({"name": ["厦门"]}, geometry=[shapely.Point(118.1, 24.5)], crs=4326)
    >>> explore(point, title="Xiamen 厦门").headline
    'Xiamen 厦门'
    """
    from citygeo.viz.map import ATTRIBUTION, OfflineMap

    target = OfflineMap() if m is None else m
    content = _content(target)
    number = sum(layer.key.startswith("plain-") for layer in content.layers)
    for result in results:
        layers, panel = layers_and_panel(result, content.log, number=number)
        content.add(layers)
        number += is_plain(result)
        content.panel = content.panel or panel
        content.extent = content.extent or map_extent(result)
        credit = result.attrs.get("attribution") if is_plain(result) else _attribution(result) or ATTRIBUTION
        content.attributions += [str(credit)] if credit else []
    if title is not None:
        heading = Label(*((title, "") if isinstance(title, str) else title))
        content.panel = replace(content.panel or Panel(heading), title=heading)
    return target


def _attribution(result: Any) -> str | None:
    provenance = getattr(result, "provenance", None) or {}
    return provenance.get("attribution")


def _content(target: Any) -> Layers:
    """Return our element of a map, added if it has none."""
    from citygeo.viz.map import Layers

    for child in target._children.values():  # noqa: SLF001  # branca offers no other way to look
        if isinstance(child, Layers):
            return child
    content = Layers()
    target.add_child(content)
    return content
