"""One map of one or more results."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

from citygeo.viz.coloured import as_layer, bounds_of, coloured, has_column, require_column
from citygeo.viz.panel import Panel
from citygeo.viz.results import is_plain, layers_and_panel, map_extent
from citygeo.viz.text import Label

if TYPE_CHECKING:
    import folium

    from citygeo.viz.map import Layers


def explore(
    *results: Any,
    column: str | tuple[str, str] | None = None,
    title: str | tuple[str, str] | None = None,
    m: folium.Map | None = None,
) -> Any:
    """
    Draw results on a map that needs no internet.

    Parameters
    ----------
    *results
        Coverage, ServiceArea, Isochrones, RoadNetwork, NetworkReport or GeoDataFrame, drawn from the lowest to
        the highest. A GeoDataFrame is named by its ``attrs["name"]`` and ``attrs["name_zh"]``. A table or Series
        indexed by H3 cells is drawn as hexagons.
    column
        Which column of GeoDataFrames and tables colours them: numbers in five classes of about as many rows each, at
        round numbers, or words. Two columns of numbers make a map of both in nine colours: the first grows to the
        right in its square legend, the second upwards. Columns are called by ``attrs["labels"]``, a mapping to a text
        or a pair of English and Chinese. Missing values are apart. Results of other kinds are drawn as ever.
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
        CG-MAP-003 for a result that cannot be drawn; CG-IN-005 if no table has the column; CG-IN-004 if one of two
        columns holds words.
    CRSError
        CG-CRS-001 for a layer without CRS.

    Examples
    --------
    >>> import geopandas, shapely
    >>> point = geopandas.GeoDataFrame({"name": ["厦门"]}, geometry=[shapely.Point(118.1, 24.5)], crs=4326)
    >>> explore(point, title="Xiamen 厦门").headline
    'Xiamen 厦门'
    >>> import pandas
    >>> jobs = pandas.Series({"8928308280fffff": 3, "8928308280bffff": 70}, name="jobs")
    >>> explore(jobs, column="jobs").headline
    'Jobs: 36.5 is the median 就业岗位'
    """
    from citygeo.viz.map import ATTRIBUTION, OfflineMap

    target = OfflineMap() if m is None else m
    content = _content(target)
    number = sum(layer.key.startswith("plain-") for layer in content.layers)
    shown = [as_layer(result) for result in results]
    if column is not None:
        require_column(shown, column)
    for result in shown:
        is_table = is_plain(result)
        if is_table and column is not None and has_column(result, column):
            layers, content.panel = coloured(result, column, number, content.log)
            content.extent = bounds_of(layers)
        else:
            layers, panel = layers_and_panel(result, content.log, number=number)
            content.panel = content.panel or panel
            content.extent = content.extent or map_extent(result)
        content.add(layers)
        number += is_table
        credit = result.attrs.get("attribution") if is_table else _attribution(result) or ATTRIBUTION
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
