"""People of pixels spread over the cells that they touch, by the area of each."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple, Self

import numpy as np
import shapely
from shapely import affinity

from citygeo import hexgrid
from citygeo.demand.raster_points import sums_of_pixels

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from citygeo.io.pixel_ground import Ground
    from citygeo.io.pixels import Raster, Window

    Cells = NDArray[np.uint64]

COVERED = 1e-3  # how far from 1 the shares of a pixel may add up
ROUNDING = 1e-5  # how far they may for rounding alone
FALLBACK_POINTS = 16
TORN = 0.25  # how far, in lengths of an edge, its middle may be from where it is on the plane
TURN = 360.0


class Overlaps(NamedTuple):
    """
    Which pixels of a window each polygon covers, and how much of each.

    Attributes
    ----------
    polygon
        Position of the polygon, shape `(n,)`.
    pixel
        Position of the pixel, row after row.
    share
        Above 0, up to 1, in the precision of exactextract: 32 bits.
    """

    polygon: NDArray[np.int64]
    pixel: NDArray[np.int64]
    share: NDArray[np.float64]

    @classmethod
    def find(cls, raster: Raster, window: Window, polygons: NDArray[np.object_]) -> Self:
        """
        Ask exactextract.

        Parameters
        ----------
        raster
            Where the window is.
        window
            The pixels.
        polygons
            In the CRS of the raster; empty ones cover nothing.
        """
        import geopandas as gpd
        from exactextract import exact_extract
        from exactextract.raster import NumPyRasterSource

        # the numbers do not matter here, only where they are
        blank = np.broadcast_to(np.zeros(1, np.uint8), (window.rows, window.columns))
        wkt = raster.crs.to_wkt()
        source = NumPyRasterSource(blank, *raster.box(window), srs_wkt=wkt)
        some = np.flatnonzero(~shapely.is_empty(polygons))
        layer = gpd.GeoDataFrame({"polygon": some}, geometry=polygons[some], crs=raster.crs)
        if not some.size:
            return cls(np.empty(0, np.int64), np.empty(0, np.int64), np.empty(0))
        table = exact_extract(
            source, layer, ["cell_id", "coverage"], include_cols=["polygon"], output="pandas",
            max_cells_in_memory=window.rows * window.columns,
        )  # fmt: skip
        sizes = table["cell_id"].map(len).to_numpy(np.int64)
        pixel = np.concatenate([np.empty(0, np.int64), *table["cell_id"]]).astype(np.int64)
        row, column = pixel // window.columns, pixel % window.columns
        row = row if raster.transform.e < 0 else window.rows - 1 - row
        column = column if raster.transform.a > 0 else window.columns - 1 - column
        share = np.concatenate([np.empty(0), *table["coverage"]])
        is_part = share > 0
        polygon = np.repeat(table["polygon"].to_numpy(np.int64), sizes)
        return cls(polygon[is_part], (row * window.columns + column)[is_part], share[is_part])


def sums_by_share(
    raster: Raster, ground: Ground, values: NDArray[np.float64], window: Window, resolution: int
) -> tuple[Cells, NDArray[np.float64], NDArray[np.bool_]]:
    """
    Add up the people of a window by the cells that its pixels touch, by area.

    Cells are added ring by ring around the middles of pixels until every pixel is covered. Where that does not come
    about, because an outline is torn by the edge of the map, or the middle has no place, the pixel is spread over
    16 x 16 points.

    Parameters
    ----------
    raster, ground, values, window, resolution
        As for :func:`citygeo.demand.raster_points.sums_at_points`.

    Returns
    -------
    Cells, their sums (a cell may occur again), and which pixels have no point with a place, `(rows, columns)`: these
    are in no cell.
    """
    pixel = np.flatnonzero(values)
    people = values.ravel()[pixel]
    cells, overlaps, covered = _cover(raster, ground, window, pixel, resolution)
    is_covered = np.abs(covered[pixel] - 1) <= COVERED
    is_used = np.zeros(values.size, np.bool_)
    is_used[pixel[is_covered]] = True
    own = is_used[overlaps.pixel]
    at = overlaps.pixel[own]
    parts = values.ravel()[at] * (overlaps.share[own] / covered[at])
    rest = pixel[~is_covered]
    other_cells, other_sums, is_lost = sums_of_pixels(
        ground, people[~is_covered], window.row + rest // window.columns, window.column + rest % window.columns,
        resolution, FALLBACK_POINTS,
    )  # fmt: skip
    lost = np.zeros(values.shape, np.bool_)
    lost.ravel()[rest[is_lost]] = True
    found, sums = hexgrid.sums_by_cell(cells[overlaps.polygon[own]], parts)
    return np.concatenate([found, other_cells]), np.concatenate([sums, other_sums]), lost


def _cover(
    raster: Raster, ground: Ground, window: Window, pixel: NDArray[np.int64], resolution: int
) -> tuple[Cells, Overlaps, NDArray[np.float64]]:
    """Return cells over pixels, which covers how much of which, and how much of each pixel is covered."""
    lon, lat = ground.lonlat(
        window.row + pixel // window.columns + 0.5, window.column + pixel % window.columns + 0.5
    )
    has_place = np.isfinite(lon)
    start = np.unique(hexgrid.cells_of_points(lon[has_place], lat[has_place], resolution, threads=1))
    cells, edge = np.empty(0, np.uint64), start
    wanted = np.zeros(window.rows * window.columns, np.bool_)
    wanted[pixel[has_place]] = True
    covered = np.zeros(wanted.size)
    found: list[Overlaps] = []
    while edge.size:
        own = Overlaps.find(raster, window, _outlines(raster, window, edge))
        covered += np.bincount(own.pixel, own.share, wanted.size)
        found.append(own._replace(polygon=own.polygon + cells.size))
        cells = np.concatenate([cells, edge])
        # cells at pixels that are not yet covered lead on to the next ring
        is_open = wanted & (covered < 1 - ROUNDING)
        open_cells = np.unique(edge[own.polygon[is_open[own.pixel]]])
        edge = np.setdiff1d(_with_neighbours(open_cells), cells)
    joined = Overlaps(
        np.concatenate([np.empty(0, np.int64), *(one.polygon for one in found)]),
        np.concatenate([np.empty(0, np.int64), *(one.pixel for one in found)]),
        np.concatenate([np.empty(0), *(one.share for one in found)]),
    )
    return cells, joined, covered


def _with_neighbours(cells: Cells) -> Cells:
    import h3.api.numpy_int as h3

    if not cells.size:
        return cells
    return np.unique(np.concatenate([h3.grid_disk(cell, 1) for cell in cells.tolist()]))


def _outlines(raster: Raster, window: Window, cells: Cells) -> NDArray[np.object_]:
    """Return the outlines of cells in the CRS of the raster, empty ones for those that the edge of the map tears."""
    import pyproj

    shapes = hexgrid.cell_polygons(cells)
    lonlat, owner = shapely.get_coordinates(shapes, return_index=True)
    into = pyproj.Transformer.from_crs(4326, raster.crs, always_xy=True)
    corners, middles = (
        np.column_stack(into.transform(*place.T)) for place in (lonlat, (lonlat[1:] + lonlat[:-1]) / 2)
    )
    with np.errstate(invalid="ignore"):  # infinite corners
        off = np.abs(middles - (corners[1:] + corners[:-1]) / 2).max(axis=1)
        is_torn = ~(off <= TORN * np.abs(corners[1:] - corners[:-1]).max(axis=1)) & (owner[1:] == owner[:-1])
    outlines: NDArray[np.object_] = shapely.set_coordinates(
        shapes, np.nan_to_num(corners, posinf=0, neginf=0)
    )
    outlines[owner[1:][is_torn]] = shapely.Polygon()
    if raster.crs.is_geographic:  # with as many turns as the window
        west, _, east, _ = raster.box(window)
        left, _, right, _ = shapely.bounds(outlines).T
        turns = np.nan_to_num(np.rint((west + east - left - right) / 2 / TURN)) * TURN
        outlines = np.array(
            [
                affinity.translate(shape, by) if by else shape
                for shape, by in zip(outlines, turns, strict=True)
            ]
        )
    return outlines
