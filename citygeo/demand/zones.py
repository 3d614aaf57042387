"""People of layers: rows that count at a point, and areas over which people are spread."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import geopandas as gpd
import numpy as np
import shapely

from citygeo import datum, hexgrid
from citygeo.demand.ground import box_areas, is_polygon, on_plane, overlaps, parts_of_areas, repaired
from citygeo.demand.parts import OUTSIDE, Parts
from citygeo.demand.people import MICRO, from_micro
from citygeo.errors import error

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from citygeo.demand.columns import Amounts
    from citygeo.demand.rules import Rules
    from citygeo.issues import IssueLog

SMALL = 0.1  # of a cell: a smaller area counts at a point inside it
COARSE = 10.0  # cells: people of larger areas are spread over many cells of which nothing is known
SLIVER = 0.01  # of the smaller area: borders drawn twice overlap by less
TREATMENTS = ("auto", "point", "area")


@dataclass(frozen=True)
class Zones:
    """
    The areas of a layer that hold people.

    Attributes
    ----------
    row
        Position of each in the layer.
    shape
        Valid areas in the equal-area plane.
    is_small
        Whether it counts at a point.
    """

    row: NDArray[np.int64]
    shape: NDArray[np.object_]
    is_small: NDArray[np.bool_]

    @classmethod
    def of(cls, layer: gpd.GeoDataFrame, has_people: NDArray[np.bool_], rules: Rules, log: IssueLog) -> Zones:
        """Take the polygons with people and choose how each counts."""
        # shapes are also needed to find what another layer has in them
        is_shared = rules.by is not None
        row = np.flatnonzero(is_polygon(layer.geometry.to_numpy()) & has_people)
        least = {"auto": SMALL * cell_area_m2(rules.resolution), "point": np.inf, "area": 0.0}[rules.polygons]
        drawn = layer.geometry.take(row)
        # what is small for sure, as most homes are, need not be looked at any further
        is_needed = (box_areas(drawn) >= least) | is_shared
        shape = np.full(row.size, None, object)
        shape[is_needed], is_mended = repaired(on_plane(drawn[is_needed]))
        log.add("CG-DEM-021", count=int(is_mended.sum()), sample=layer.index[row[is_needed][is_mended]])
        # nothing can be spread over an area of nothing; the area of what is not needed is NaN
        area = shapely.area(shape)
        return cls(row, shape, ~((area >= least) & (area > 0)))


def require_treatment(polygons: str) -> None:
    """Raise CG-IN-004 unless it is a way to count polygons."""
    if polygons not in TREATMENTS:
        rule, hint = "It says how polygons count.", 'Use "auto", "point" or "area".'
        raise error("CG-IN-004", argument="polygons", value=repr(polygons), rule=rule, hint=hint)


def cell_area_m2(resolution: int) -> float:
    """Return the mean area of a cell."""
    import h3.api.numpy_int as h3

    return float(h3.average_hexagon_area(resolution, unit="m^2"))


def parts_at_points(layer: gpd.GeoDataFrame, row: NDArray[np.int64], rules: Rules) -> Parts:
    """Return the cell of a point inside each of some rows, none for rows without a place."""
    chosen = layer.geometry.take(row)
    places = gpd.GeoSeries(datum.representative_points(chosen), crs=layer.crs).to_crs(datum.WGS84).to_numpy()
    has_place = ~shapely.is_missing(places)
    lonlat = shapely.get_coordinates(places[has_place])
    cell = hexgrid.cells_of_points(lonlat[:, 0], lonlat[:, 1], rules.resolution, threads=rules.threads)
    if rules.within is not None:
        cell[~rules.within.holds(lonlat)] = OUTSIDE
    return Parts.whole(row[has_place], cell)


def parts_over_areas(zones: Zones, chosen: NDArray[np.bool_], rules: Rules) -> Parts:
    """Return the parts of the zones chosen, spread evenly over their land."""
    return parts_of_areas(zones.shape[chosen], rules).of_rows(zones.row[chosen])


def tell_zones(
    layer: gpd.GeoDataFrame,
    zones: Zones,
    amounts: Amounts,
    rules: Rules,
    log: IssueLog,
    *,
    is_even: NDArray[np.bool_],
) -> None:
    """
    Record what there is to know about areas that people are spread over.

    Parameters
    ----------
    layer, zones, amounts, rules
        The layer, its areas, its people, and how they count.
    log
        Takes CG-DEM-012, 013, 016, 017 and 018.
    is_even
        Which zones are spread evenly, because nobody said where in them people live.
    """
    people = amounts.micro[zones.row, 0]
    large = ~zones.is_small
    log.add(
        "CG-DEM-012", count=int(is_even.any()), n_area=int(is_even.sum()), n_point=int(zones.is_small.sum())
    )
    if not large.any():
        return
    _tell_coarse(zones, people, rules.resolution, log, is_even=is_even)
    labels = layer.index.take(zones.row[large])
    repeated = labels[labels.duplicated()].unique()
    log.add("CG-DEM-018", count=len(repeated), sample=repeated)
    _tell_overlaps(labels, zones.shape[large], people[large], log)


def _tell_coarse(
    zones: Zones, people: NDArray[np.int64], resolution: int, log: IssueLog, *, is_even: NDArray[np.bool_]
) -> None:
    """Record people whose zone is much larger than a cell."""
    cells = shapely.area(zones.shape) / cell_area_m2(resolution)
    is_coarse = is_even & ~zones.is_small & (cells > COARSE)
    if not is_coarse.any():
        return
    mean = np.average(cells[is_coarse], weights=np.maximum(people[is_coarse], 1))
    # seven cells of one resolution make one of the next
    fitting = max(resolution - int(np.ceil(np.log(mean) / np.log(7))), 0)
    log.add(
        "CG-DEM-013", count=int(is_coarse.sum()), people=f"{from_micro(people[is_coarse].sum()):,.0f}",
        cells=f"{mean:,.0f}", resolution=resolution, fitting=fitting,
    )  # fmt: skip


def _tell_overlaps(
    labels: object, shape: NDArray[np.object_], people: NDArray[np.int64], log: IssueLog
) -> None:
    """Record zones that lie on each other: their people are all counted, but on the same land."""
    one, other, shared = overlaps(shape)
    area = shapely.area(shape)
    is_sliver = shared <= SLIVER * np.minimum(area[one], area[other])
    names = np.asarray(labels, object)
    for code, chosen in (("CG-DEM-016", ~is_sliver), ("CG-DEM-017", is_sliver)):
        pairs = [f"{names[a]} / {names[b]}" for a, b in zip(one[chosen], other[chosen], strict=True)]
        on_both = np.bincount(
            np.concatenate((one[chosen], other[chosen])), np.tile(shared[chosen], 2), shape.size
        )
        concerned = (people / MICRO * np.minimum(on_both / area, 1)).sum()
        log.add(
            code,
            count=len(pairs),
            sample=pairs,
            people=f"{concerned:,.0f}",
            area_m2=f"{shared[chosen].sum():,.0f}",
        )
