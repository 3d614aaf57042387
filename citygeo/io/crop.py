"""Keep the part of the streets that lies in a region: a bounding box or a polygon."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np
import shapely

from citygeo.errors import error
from citygeo.io.streets import NO_TAGS, StreetTables
from citygeo.issues import IssueLog

if TYPE_CHECKING:
    from collections.abc import Sequence

    import geopandas as gpd
    from numpy.typing import NDArray

    from citygeo.io.streets import Restriction

    Bounds = tuple[float, float, float, float]

BBOX_RULE = "A bounding box is (west, south, east, north) in WGS 84 degrees, west < east and south < north."
BBOX_HINT = "Mind the order; a box over the 180th meridian is given as a polygon of two parts."
POLYGON_RULE = "A region is a polygon with an inside, in WGS 84 degrees, or a layer of polygons with a CRS."


@dataclass(frozen=True)
class Region:
    """
    Where streets are kept; borders belong to it.

    Attributes
    ----------
    bounds
        West, south, east, north in WGS 84 degrees.
    polygon
        `None` if the region is the box itself.
    """

    bounds: Bounds
    polygon: shapely.Polygon | shapely.MultiPolygon | None = None

    def contains(self, lonlat: NDArray[np.float64]) -> NDArray[np.bool_]:
        """
        Tell which places are inside.

        Parameters
        ----------
        lonlat
            WGS 84 degrees, shape `(n, 2)`; NaN is outside.

        Examples
        --------
        >>> region(bbox=(0, 0, 2, 1)).contains(np.array([[2.0, 1.0], [2.1, 1.0]])).tolist()
        [True, False]
        """
        west, south, east, north = self.bounds
        lon, lat = lonlat.T
        is_inside = np.asarray((lon >= west) & (lon <= east) & (lat >= south) & (lat <= north))
        if self.polygon is not None:
            is_inside[is_inside] = shapely.intersects_xy(self.polygon, lonlat[is_inside])
        return is_inside

    def __str__(self) -> str:
        return "({:.6g}, {:.6g}, {:.6g}, {:.6g})".format(*self.bounds)


def region(
    *,
    bbox: Sequence[float] | None = None,
    polygon: shapely.Polygon | shapely.MultiPolygon | gpd.GeoDataFrame | gpd.GeoSeries | None = None,
) -> Region | None:
    """
    Make a region, `None` if neither a box nor a polygon is given.

    Parameters
    ----------
    bbox
        West, south, east, north in WGS 84 degrees.
    polygon
        A shapely polygon in WGS 84 degrees, or a layer of polygons, which is dissolved.

    Raises
    ------
    InputError
        CG-IN-004: both are given, or the one given has no inside or is no region.
    CRSError
        CG-CRS-001: the layer has no CRS.

    Examples
    --------
    >>> region(bbox=(-21.96, 64.13, -21.90, 64.16)).bounds
    (-21.96, 64.13, -21.9, 64.16)
    """
    if bbox is not None and polygon is not None:
        rule = "A region is either a box or a polygon."
        raise error(
            "CG-IN-004", argument="bbox", value=tuple(bbox), rule=rule, hint="Leave out bbox or polygon."
        )
    if bbox is not None:
        return Region(_checked_box(bbox))
    if polygon is None:
        return None
    return _polygon_region(polygon)


def _checked_box(bbox: Sequence[float]) -> Bounds:
    try:
        west, south, east, north = (float(value) for value in bbox)
        is_usable = -180 <= west < east <= 180 and -90 <= south < north <= 90
    except (TypeError, ValueError):
        is_usable = False
    if not is_usable:
        raise error("CG-IN-004", argument="bbox", value=bbox, rule=BBOX_RULE, hint=BBOX_HINT)
    return west, south, east, north


def _polygon_region(polygon: Any) -> Region:
    shape = polygon if isinstance(polygon, shapely.Geometry) else _dissolved(polygon)
    kind = getattr(shape, "geom_type", type(shape).__name__)
    if not isinstance(shape, shapely.Polygon | shapely.MultiPolygon):
        problem = f"It is a {kind}."
    elif not shapely.is_valid(shape):
        problem = f"Its rings are wrong: {shapely.is_valid_reason(shape)}."
    elif shape.area == 0:
        problem = "It is empty."
    elif not _is_in_degrees(shape.bounds):
        problem = f"Its bounds {tuple(round(value, 6) for value in shape.bounds)} are no degrees."
    else:
        shapely.prepare(shape)
        return Region(shape.bounds, shape)
    raise error("CG-IN-004", argument="polygon", value=kind, rule=POLYGON_RULE, hint=problem)


def _is_in_degrees(bounds: Bounds) -> bool:
    west, south, east, north = bounds
    return west >= -180 and east <= 180 and south >= -90 and north <= 90


def _dissolved(layer: Any) -> Any:
    """Return the union of a layer of polygons in WGS 84; anything else as it is."""
    import geopandas as gpd

    if not isinstance(layer, gpd.GeoDataFrame | gpd.GeoSeries):
        return layer
    if layer.crs is None:
        xmin, ymin, xmax, ymax = layer.total_bounds
        raise error("CG-CRS-001", layer="polygon", xmin=xmin, xmax=xmax, ymin=ymin, ymax=ymax)
    # lines and points would vanish in the union with areas
    odd = layer.geometry.geom_type[~layer.geometry.geom_type.isin(["Polygon", "MultiPolygon"])]
    if len(odd):
        return layer.geometry.loc[odd.index[0]]
    broken = layer.geometry[~layer.geometry.is_valid]
    return broken.iloc[0] if len(broken) else layer.geometry.to_crs(4326).union_all()


class Pieces(NamedTuple):
    """Runs of kept segments: the way of each, where its nodes begin in the list of all nodes of ways, and how many."""

    way: NDArray[np.int64]
    first: NDArray[np.int64]
    size: NDArray[np.int64]

    def positions(self) -> NDArray[np.int64]:
        """Return the places of all their nodes in the list of all nodes of ways."""
        before = np.cumsum(self.size) - self.size
        return np.repeat(self.first - before, self.size) + np.arange(int(self.size.sum()))

    def start(self) -> NDArray[np.int64]:
        """Return where each begins among `positions`, and their number at the end."""
        return np.concatenate((np.zeros(1, np.int64), np.cumsum(self.size)))


def pieces(way_start: NDArray[np.int64], is_kept: NDArray[np.bool_]) -> Pieces:
    """
    Cut ways where segments are left out.

    Parameters
    ----------
    way_start
        Where the nodes of each way begin, int64 `(w + 1,)`.
    is_kept
        For each node of the ways, whether the segment to the next one is kept, `(n,)`; of no matter at the
        last node of a way.

    Examples
    --------
    >>> pieces(np.array([0, 4, 6]), np.array([True, False, True, False, True, False]))
    Pieces(way=array([0, 0, 1]), first=array([0, 2, 4]), size=array([2, 2, 2]))
    """
    kept = is_kept.copy()
    kept[way_start[1:] - 1] = False
    before = np.concatenate((np.zeros(1, np.bool_), kept[:-1]))
    first, last = np.flatnonzero(kept & ~before), np.flatnonzero(~kept & before)
    return Pieces(np.searchsorted(way_start, first, side="right") - 1, first, last - first + 1)


def touching(way_start: NDArray[np.int64], is_inside: NDArray[np.bool_]) -> Pieces:
    """Return the pieces of ways whose segments have at least one end inside; `is_inside` is per node of the ways."""
    return pieces(way_start, is_inside | np.concatenate((is_inside[1:], np.zeros(1, np.bool_))))


def crop(streets: StreetTables, region: Region) -> StreetTables:
    """
    Keep the segments with at least one end inside a region.

    Parameters
    ----------
    streets
        Tables of a source without lengths and times of its own.
    region
        Where.

    Returns
    -------
    The streets inside and their turn restrictions; ways cut at the border keep their ids.

    Raises
    ------
    NetworkError
        CG-NET-060: no street is inside.

    Examples
    --------
    >>> from citygeo.datasets import reykjavik
    >>> from citygeo.io import osm
    >>> streets = osm.read(reykjavik().osm_path)
    >>> len(crop(streets, region(bbox=(-21.96, 64.13, -21.90, 64.16))).way_id) < len(streets.way_id)
    True
    """
    assert streets.given is None  # what a source states for a whole way does not hold for its pieces
    is_inside = region.contains(streets.node_lonlat)
    kept = touching(streets.way_start, is_inside[streets.way_node])
    if kept.way.size == 0:
        low, high = streets.node_lonlat.min(axis=0), streets.node_lonlat.max(axis=0)
        raise outside(streets.source, region, Region((*low.tolist(), *high.tolist())))
    nodes, way_node = np.unique(streets.way_node[kept.positions()], return_inverse=True)
    cropped = replace(
        streets,
        node_id=streets.node_id[nodes],
        node_lonlat=streets.node_lonlat[nodes],
        node_tag_set=streets.node_tag_set[nodes],
        way_id=streets.way_id[kept.way],
        way_start=kept.start(),
        way_node=way_node,
        way_tag_set=streets.way_tag_set[kept.way],
        issues=IssueLog(list(streets.issues.found)),
    )
    return left_in(cropped, region, len(streets.way_id), np.unique(kept.way).size)


def left_in(streets: StreetTables, region: Region, total: int, touched: int) -> StreetTables:
    """
    Drop the sets of tags and turn restrictions that streets inside a region no longer use, and say what was left out.

    Parameters
    ----------
    streets
        The pieces inside.
    region
        Where; for the finding CG-NET-061.
    total, touched
        Number of ways in the source, and of those with a node inside.
    """
    left_out = total - touched
    streets.issues.add(
        "CG-NET-061", count=left_out, total=total, path=streets.source, kept=touched, region=region
    )
    used = np.concatenate((streets.way_tag_set, streets.node_tag_set[streets.node_tag_set != NO_TAGS]))
    numbers, first = np.unique(used, return_index=True)
    in_order = numbers[np.argsort(first)]
    renumbered = np.full(len(streets.tag_sets) + 1, NO_TAGS, np.int32)  # the last place is that of NO_TAGS
    renumbered[in_order] = np.arange(in_order.size)
    ways, nodes = set(streets.way_id.tolist()), set(streets.node_id.tolist())
    return replace(
        streets,
        tag_sets=[streets.tag_sets[number] for number in in_order.tolist()],
        way_tag_set=renumbered[streets.way_tag_set],
        node_tag_set=renumbered[streets.node_tag_set],
        restrictions=[item for item in streets.restrictions if _is_among(item, ways, nodes)],
    )


def _is_among(item: Restriction, ways: set[int], nodes: set[int]) -> bool:
    """Tell whether all that a turn restriction names is there."""
    has_node = item.via_node is None or item.via_node in nodes
    return has_node and ways.issuperset((*item.from_way, *item.via_way, *item.to_way))


def outside(source: str, region: Region, data: Region) -> Exception:
    """Return the error of a region without streets; `data` holds the bounds of what there is."""
    return error("CG-NET-060", path=source, region=region, data=data)
