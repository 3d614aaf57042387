"""
People: from rasters, zones, buildings, points and tables onto H3 cells, without losing or inventing one.

People of vector layers are whole numbers inside: persons when they are spread over homes, millionths of a
person (`PEOPLE_QUANTUM`) when they are added up, so that sums come out the same in any order.
"""

from __future__ import annotations

import os
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

import geopandas as gpd
import pandas as pd

from citygeo import datum, hexgrid
from citygeo.demand.homes import floor_space, is_home
from citygeo.demand.layers import people_of_layer
from citygeo.demand.people import PEOPLE_QUANTUM, apportion, from_micro, to_micro
from citygeo.demand.rasters import people_of_rasters
from citygeo.demand.rules import Rules
from citygeo.demand.sources import cells_or_places, is_raster, layer_of
from citygeo.demand.spread import spread_population, zone_of
from citygeo.demand.within import Within
from citygeo.errors import error
from citygeo.hexgrid.inputs import require_resolution
from citygeo.issues import IssueLog

if TYPE_CHECKING:
    from collections.abc import Sequence

    from citygeo.demand.found import Found

__all__ = [
    "PEOPLE_QUANTUM",
    "apportion",
    "cells_or_places",
    "floor_space",
    "from_micro",
    "is_home",
    "is_raster",
    "population",
    "spread_population",
    "to_micro",
    "zone_of",
]

CELL = "h3_cell"


def population(
    source: Any,
    *,
    resolution: int = 9,
    column: str = "population",
    carry: str | Sequence[str] = (),
    polygons: str = "auto",
    by: Any = None,
    by_weight: str | None = None,
    area: gpd.GeoDataFrame | gpd.GeoSeries | None = None,
    units: str = "count",
    nodata: float | None = None,
    method: str = "auto",
    issues: IssueLog | None = None,
    threads: int | None = None,
) -> gpd.GeoDataFrame:
    """
    Add people up by H3 cell, whatever they come from; none is lost and none invented.

    Parameters
    ----------
    source
        One of these:

        - the path of a GeoTIFF, or a mapping from columns of the result to paths (``{"population": "all.tif",
          "age_65": "old.tif"}``);
        - a layer of points, buildings or zones in any CRS, or the path of one (see `citygeo.io.tables`);
        - a table indexed by H3 cells of any resolutions: finer cells are added up to their parents; coarser ones
          give their children equal parts.
    resolution
        H3 resolution, 0 to 15; 9 is about 0.1 km² a cell, 8 about 0.7 km².
    column
        The column with the number of people, or of whatever else there is demand for, such as the ``floor_m2`` of
        :func:`citygeo.floor_space`; of a mapping, the raster with them.
    carry
        Further columns, or one, that are added up in the same way: ages, households, jobs. A mapping carries all its
        rasters.
    polygons
        How areas count: at a point inside them (``"point"``), spread evenly over their land (``"area"``: areal
        interpolation), or the first for areas below a tenth of a cell and the second for others (``"auto"``). Points
        and lines count at a point.
    by
        Where people of areas live, as a layer or its path (dasymetric). With a column ``building``: buildings, of
        which the homes (:func:`citygeo.floor_space`) count by floor space at a point inside them. Points count alike.
        Other polygons are land that people live on: they count by their area within the zone. Land that is drawn twice
        counts once, but for every weight that it is given. Zones without any are spread as if `by` were not given.
    by_weight
        A column of `by`: what a building or point weighs as a whole, or a square metre of land.
    area
        Polygons in any CRS: only people in them are counted. Spread areas count by the part of their land inside,
        cells of a table by their centre; pixels by theirs, or by their share inside with the method ``"exact"``: draw
        it generously at a coast.
    units
        What the pixels of a raster hold: ``"count"`` of people, or people ``"per_km2"``.
    nodata
        The number that stands for no data in a raster, instead of its own.
    method
        How pixels count: in the cell of their ``"centre"``, spread evenly over points (``"subsample"``), by the
        ``"exact"`` shares of their area, or the one that suits the sizes (``"auto"``).
    issues
        Where to record what was found: CG-DEM-005 to 023 and 026, CG-RAS-002 to 019. If not given, one Python warning
        names the codes that matter.
    threads
        Number of threads; all processors if `None`. The result does not depend on it.

    Returns
    -------
    One row per inhabited cell, indexed by ``h3_cell`` (text, sorted), EPSG:4326: ``population``, the carried columns,
    ``geometry``. Of layers and tables, the sum of each column is that of all rows with a place, exactly to a
    millionth; the column is int64 where it was whole and no row was divided. Of rasters, sums are float64, and those
    of cells and pixels differ by less than 1e-12 of them.

    ``attrs["estimate"]`` is True if the source says so or people were spread; ``attrs["method"]`` and
    ``attrs["method_zh"]`` tell in words what was done; ``attrs["source"]`` is the name of the file, or the kind of
    layer.

    Raises
    ------
    CRSError
        CG-CRS-001 if a layer has no CRS, CG-DEM-025 if rows lie nowhere on Earth in it.
    GeometryError
        CG-HEX-001 if an area goes around a pole.
    InputError
        CG-IN-001 no rows, CG-IN-003 people missing, infinite or negative, CG-IN-004 an argument that does not fit
        the source, CG-IN-005 no such column, CG-IN-006 a cell twice, CG-IN-007 no layer.
    UnitError
        CG-UNIT-002 if the resolution is not 0 to 15.
    LimitError
        CG-LIM-002, CG-DEM-024 if that would be more than 5 million cells.
    FileError, FileFormatError, UnsafeInputError
        As `citygeo.io.tables.read_layer` and :func:`citygeo.demand.raster.cells_of_raster`.

    Notes
    -----
    Areas are measured in EPSG:6933 (cylindrical equal-area), where edges of areas and of cells are straight between
    their corners. Areas of layers may cross the antimeridian in any form that :func:`citygeo.hexgrid.cells_in` knows.
    Areal interpolation: Goodchild and Lam 1980; dasymetric mapping: Wright 1936, Eicher and Brewer
    2001 (https://doi.org/10.1559/152304001782173727).

    Examples
    --------
    >>> homes = gpd.GeoDataFrame({"population": [2, 3]}, geometry=gpd.points_from_xy([0, 0], [0, 0]), crs=4326)
    >>> population(homes)["population"].to_dict()
    {'89754e64993ffff': 5}
    """
    require_resolution(resolution)
    log = IssueLog() if issues is None else issues
    carried = (carry,) if isinstance(carry, str) else tuple(carry)
    if isinstance(source, Mapping) or is_raster(source):
        _require_unused(
            "a raster", carry=(carried, ()), polygons=(polygons, "auto"), by=(by, None),
            by_weight=(by_weight, None),
        )  # fmt: skip
        rasters = source if isinstance(source, Mapping) else {column: source}
        found = people_of_rasters(
            rasters, column, int(resolution), area=area, units=units, nodata=nodata, method=method, log=log,
            threads=threads,
        )  # fmt: skip
    else:
        _require_unused("a layer", units=(units, "count"), nodata=(nodata, None), method=(method, "auto"))
        if by is None:
            _require_unused("a layer without by", by_weight=(by_weight, None))
        layer = layer_of(source, "source", log)
        rules = Rules(
            int(resolution), polygons, by=None if by is None else layer_of(by, "by", log), by_weight=by_weight,
            within=None if area is None else Within(area), threads=threads,
        )  # fmt: skip
        found = people_of_layer(layer, (column, *carried), rules, log)
    table = _table(found)
    table.attrs["source"] = _name_of(source)
    if issues is None:
        log.announce()
    return table


def _table(found: Found) -> gpd.GeoDataFrame:
    """Return cells and their columns as a layer."""
    table = gpd.GeoDataFrame(
        found.columns,
        geometry=hexgrid.cell_polygons(found.cells),
        crs=datum.WGS84,
        index=pd.Index(hexgrid.to_strings(found.cells), name=CELL, dtype="str"),
    )
    table.attrs.update(estimate=found.is_estimate, method=found.method, method_zh=found.method_zh)
    return table


def _name_of(source: Any) -> str:
    """Return the name of the file, or what else the people come from."""
    if isinstance(source, Mapping):
        return ", ".join(Path(path).name for path in source.values())
    if isinstance(source, str | os.PathLike):
        return Path(source).name
    return "cells" if hexgrid.has_cell_index(source) else "layer"


def _require_unused(kind: str, **given: tuple[object, object]) -> None:
    """Raise CG-IN-004 if an argument that means nothing for this kind of source is not its default."""
    for name, (value, default) in given.items():
        if value is not default and (default is None or value != default):
            raise error(
                "CG-IN-004", argument=name, value=repr(value)[:60], rule=f"It means nothing for {kind}.",
                hint="Leave it out.",
            )  # fmt: skip
