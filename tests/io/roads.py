"""Road layers drawn by hand, in metres, and what became of them, in the same metres."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING, Any

import geopandas as gpd
import numpy as np
import pyproj
import pytest
import shapely

from citygeo.errors import CitygeoError
from citygeo.io import centerlines
from citygeo.io.drawing import Drawing, Levels

if TYPE_CHECKING:
    from citygeo.io.streets import StreetTables
    from citygeo.issues import Issue

# on the middle meridian of UTM zone 50, where a metre of the drawing is 1.0004 m on the ground
CRS = 32650
ORIGIN = np.array([500_000.0, 3_000_000.0])


def layer(*wkt: str | None, crs: int = CRS, **columns: Any) -> gpd.GeoDataFrame:
    """Lines in metres from ORIGIN, given as ``"0 0, 100 0"`` or as WKT."""
    shapes = [_shape(text) for text in wkt]
    moved = shapely.transform(np.array(shapes, object), lambda xy: xy + ORIGIN)
    return gpd.GeoDataFrame(columns, geometry=list(moved), crs=CRS).to_crs(crs)


def _shape(text: str | None) -> shapely.Geometry | None:
    if text is None:
        return None
    return shapely.from_wkt(text if "(" in text or text.endswith("EMPTY") else f"LINESTRING ({text})")


def noded(*wkt: str | None, **options: Any) -> dict[tuple[float, float], list[int]]:
    """How many segments meet at each node, by its place; one place may have several nodes."""
    columns = {key: options.pop(key) for key in list(options) if isinstance(options[key], list)}
    return joints(centerlines.read(layer(*wkt, **columns), **options))


def places(streets: StreetTables) -> list[tuple[float, float]]:
    """Where nodes are, in metres from ORIGIN, to the millimetre."""
    to_metres = pyproj.Transformer.from_crs(4326, CRS, always_xy=True)
    xy = np.column_stack(to_metres.transform(*streets.node_lonlat.T)) - ORIGIN
    return [(x + 0.0, y + 0.0) for x, y in xy.round(3).tolist()]


def ways(streets: StreetTables) -> list[list[tuple[float, float]]]:
    """The places each way runs through."""
    place = places(streets)
    return [
        [place[node] for node in streets.way_node[start:stop]]
        for start, stop in zip(streets.way_start[:-1], streets.way_start[1:], strict=True)
    ]


def joints(streets: StreetTables) -> dict[tuple[float, float], list[int]]:
    segments: Counter[int] = Counter()
    for start, stop in zip(streets.way_start[:-1], streets.way_start[1:], strict=True):
        run = streets.way_node[start:stop].tolist()
        segments.update(run[:-1])
        segments.update(run[1:])
    found: dict[tuple[float, float], list[int]] = {}
    for node, place in enumerate(places(streets)):
        found.setdefault(place, []).append(segments[node])
    return {place: sorted(many) for place, many in found.items()}


def finding(streets: StreetTables, code: str) -> Issue | None:
    return next((issue for issue in streets.issues.found if issue.code == code), None)


def count(streets: StreetTables, code: str) -> int:
    issue = finding(streets, code)
    return 0 if issue is None else issue.count


def refusal(lines: Any, **options: Any) -> CitygeoError:
    with pytest.raises(CitygeoError) as caught:
        centerlines.read(lines, **options)
    assert caught.value.zh
    return caught.value


def drawing(
    lines: list[list[tuple[float, float]]], levels: list[int] | None = None, *, near: float = 0.001
) -> Drawing:
    """Lines of bare coordinates."""
    level = np.zeros(len(lines), np.int64) if levels is None else np.array(levels, np.int64)
    shapes = np.array([shapely.LineString(line) for line in lines], object)
    return Drawing(shapes, Levels(level, np.zeros(level.size, np.bool_)), near=near)


def segments_of(drawn: Drawing) -> list[tuple[int, int]]:
    """The places at both ends of each segment."""
    segments = drawn.segments()
    return list(zip(segments.low.tolist(), segments.high.tolist(), strict=True))
