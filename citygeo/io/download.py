"""Fetch the streets of a place through OSMnx, which asks Nominatim and Overpass and keeps what they answer."""

from __future__ import annotations

from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

from citygeo.errors import error
from citygeo.io import graphs
from citygeo.io.streets import CONDITIONAL, NODE_TAGS, WAY_TAGS

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator

    import networkx as nx
    import shapely

    from citygeo.io.streets import StreetTables

ANY_CLASS = "*"
FERRY = "ferry"


def read_place(
    place: str | shapely.Polygon | shapely.MultiPolygon, classes: Collection[str] | None = None
) -> StreetTables:
    """
    Fetch the streets of a place from OpenStreetMap; needs the internet, unless OSMnx's cache has the answers.

    All ways of the classes are fetched, whoever may use them: the travel mode says what is open, as with any
    other source. The graph is not simplified, because citygeo joins what is alike by itself and keeps signals,
    barriers and differing speed limits, and no part is dropped for being unconnected. A street is kept as far as
    the first node outside.

    Parameters
    ----------
    place
        What Nominatim is asked for, such as ``"厦门市, 中国"``, or an area in WGS 84 degrees.
    classes
        Highway classes to fetch, with ``"ferry"`` for ferries. Default, and if ``"*"`` is among them: all.

    Returns
    -------
    The streets. OSMnx reads no turn restrictions (CG-GRF-016). Its cache is where its settings say, by default a
    folder ``cache`` where the process runs.

    Raises
    ------
    RunError
        CG-GRF-014: a server could not be reached, or refused.
    InputError
        CG-GRF-015: the place is not known, is no area, or has no such street. CG-IN-004: `place` is neither.
    """
    from osmnx._errors import ResponseStatusCodeError

    named = _name(place)
    try:
        with _our_tags():
            graph = _fetch(place, _filters(classes))
    except (ResponseStatusCodeError, OSError) as cause:  # requests' errors are OSErrors
        raise error("CG-GRF-014", place=named, cause=_plain(cause)) from cause
    except (TypeError, ValueError) as cause:  # what OSMnx raises where an answer holds nothing it can use
        raise error("CG-GRF-015", place=named, cause=_plain(cause)) from cause
    streets = graphs.read(graph, name=named)
    streets.issues.add("CG-GRF-016")
    return streets


def _name(place: object) -> str:
    """Return what messages call a place; raise CG-IN-004 if it is neither name nor area."""
    import shapely

    if isinstance(place, (shapely.Polygon, shapely.MultiPolygon)):
        west, south, east, north = (f"{value:.4f}" for value in place.bounds)
        return f"area from {west}, {south} to {east}, {north}"
    if not isinstance(place, str):
        rule, hint = "It must be a name or a shapely polygon.", 'Try "厦门市, 中国".'
        raise error("CG-IN-004", argument="place", value=place, rule=rule, hint=hint)
    return place


def _fetch(place: Any, filters: list[str]) -> nx.MultiDiGraph[Any]:
    import osmnx

    fetch = osmnx.graph_from_place if isinstance(place, str) else osmnx.graph_from_polygon
    graph: nx.MultiDiGraph[Any] = fetch(
        place, simplify=False, retain_all=True, truncate_by_edge=True, custom_filter=filters
    )
    return graph


def _filters(classes: Collection[str] | None) -> list[str]:
    """Return Overpass filters, of which a way must pass one."""
    if classes is None or ANY_CLASS in classes:
        return ['["highway"]', '["route"="ferry"]']
    listed = "|".join(sorted(set(classes) - {FERRY}))
    return [f'["highway"~"^({listed})$"]', *(['["route"="ferry"]'] if FERRY in classes else [])]


@contextmanager
def _our_tags() -> Iterator[None]:
    """Have OSMnx keep the tags that travel modes ask for, and put its settings back."""
    from osmnx import settings

    before = settings.useful_tags_way, settings.useful_tags_node
    settings.useful_tags_way = sorted(WAY_TAGS | {tag + CONDITIONAL for tag in WAY_TAGS})
    settings.useful_tags_node = sorted(NODE_TAGS)
    try:
        yield
    finally:
        settings.useful_tags_way, settings.useful_tags_node = before


def _plain(cause: Exception) -> str:
    """Return the last word of a chain of network errors on one line."""
    return " ".join(str(cause).split()).rstrip(".") or type(cause).__name__
