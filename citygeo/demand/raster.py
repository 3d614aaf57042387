"""
People of a raster on H3 cells.

Where the people of a pixel go is one of three methods; none gains or loses any:

- ``"centre"``: into the cell that holds the middle of the pixel. Right where pixels are far smaller than cells.
- ``"subsample"``: evenly to `s` x `s` points of the pixel, and each point's share into its cell.
- ``"exact"``: into all cells that the pixel touches, by the area of each (exactextract); the shares of a pixel
  are divided by their sum.

``"auto"`` takes the first where a cell is as large as 50 pixels or more, the second where it is as large as one or
more, with so many points that each stands for 1/50 of a cell at most, and the last, which is the slow one (0.3 ms a
cell), below.

With an `area`, a pixel belongs to it if its middle is inside or on the outline (``"centre"``, ``"subsample"``), or
by the share of the pixel inside (``"exact"``).
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from citygeo import hexgrid
from citygeo._run import run_chunks
from citygeo.demand.raster_area import Bound
from citygeo.demand.raster_points import BLOCK, sums_at_points
from citygeo.demand.raster_shares import sums_by_share
from citygeo.errors import error
from citygeo.hexgrid.inputs import require_few_cells, require_resolution
from citygeo.io.pixel_ground import Ground
from citygeo.io.pixels import Raster, Window, describe

if TYPE_CHECKING:
    from pathlib import Path

    import geopandas as gpd
    from numpy.typing import NDArray

    from citygeo.issues import IssueLog

    Cells = NDArray[np.uint64]

METHODS = ("auto", "centre", "subsample", "exact")
UNITS = ("count", "per_km2")
FINE = 50.0  # pixels, or points, in a cell, so that it does not matter where in the pixel people are
COARSE = 1.0
MOST_POINTS = 32  # along a side, whatever is asked for
MOST_PEOPLE = 1e10
WORDS = {
    "centre": "each pixel counts in the cell that holds its middle",
    "subsample": "each pixel is spread evenly over {points} x {points} points, which count in their cells",
    "exact": "each pixel is spread over the cells it touches, by area",
}
WORDS_ZH = {
    "centre": "每个像元计入其中心所在的格网",
    "subsample": "每个像元均分到 {points} x {points} 个点,分别计入所在格网",
    "exact": "每个像元按面积分配到所接触的格网",
}


class Plan(NamedTuple):
    """How the people of a pixel are spread: the method, points along a side of a pixel, and the two sizes."""

    method: str
    points: int
    pixel_m2: float
    cell_m2: float

    def words(self, of: dict[str, str]) -> str:
        """Say it."""
        return of[self.method].format(points=self.points)

    @property
    def cells_a_pixel(self) -> float:
        """Into about how many cells the people of a pixel are spread, if those are more than one."""
        points = math.inf if self.method == "exact" else float(self.points**2)
        return max(min(self.pixel_m2 / self.cell_m2, points), 1.0)


class Seen(NamedTuple):
    """What was found in a window, or in all."""

    nodata: int
    not_finite: int
    negative: int
    least: float  # of the negative
    inhabited: int
    people: float
    lost_pixels: int  # inhabited, without a place on Earth
    lost: float  # their people


def cells_of_raster(
    path: str | Path,
    resolution: int,
    *,
    area: gpd.GeoDataFrame | gpd.GeoSeries | None = None,
    units: str = "count",
    nodata: float | None = None,
    method: str = "auto",
    log: IssueLog,
    threads: int | None = None,
) -> tuple[Cells, NDArray[np.float64], dict[str, Any]]:
    """
    Add up the people of a raster by H3 cell.

    Parameters
    ----------
    path
        A GeoTIFF with a CRS, any but rotated; its first band is read, window by window.
    resolution
        H3 resolution, 0 to 15.
    area
        Polygons in any CRS, of which only the pixels count; all do if `None`.
    units
        What a pixel holds: ``"count"`` of people, or people ``"per_km2"``, which are multiplied by the area of the
        pixel on the ellipsoid.
    nodata
        The number that stands for no data, instead of the file's own.
    method
        ``"centre"``, ``"subsample"``, ``"exact"``, or ``"auto"`` to choose by size; see above.
    log
        Where to record what was found: CG-RAS-002, 007, 009, 011 to 014.
    threads
        Number of threads; all processors if `None`. The result does not depend on it.

    Returns
    -------
    Inhabited cells, sorted, shape `(n,)`; their people, shape `(n,)`; and facts: ``method`` and ``method_zh`` (in
    words), ``kind``, ``points``, ``people`` (the sum of all pixels that count and have a place; that of the cells is
    the same to 1e-12), ``pixels`` (read), ``inhabited``, ``nodata`` (pixels), ``pixel_m2``, ``cell_m2``.

    Raises
    ------
    UnsafeInputError, FileError, FileFormatError, CRSError, InputError, LimitError
        As :func:`citygeo.io.pixels.describe` and :meth:`citygeo.io.pixels.Raster.read`; CG-CRS-001 if `area` has no
        CRS, CG-IN-004 for an unknown method or unit, CG-RAS-008 if a pixel holds more people than live on Earth.
        CG-LIM-002 if people would be spread over more than about 5 million cells finer than pixels.
    UnitError
        CG-UNIT-002 if the resolution is not 0 to 15.

    Examples
    --------
    >>> import tempfile, pyproj
    >>> from affine import Affine
    >>> from citygeo.io.raster import write_geotiff
    >>> from citygeo.issues import IssueLog
    >>> folder = tempfile.TemporaryDirectory()
    >>> path, place = f"{folder.name}/people.tif", Affine(0.001, 0, 118.09, 0, -0.001, 24.5)
    >>> pixels = [np.full((20, 30), 1.5, np.float32)]
    >>> write_geotiff(path, pixels, transform=place, crs=pyproj.CRS(4326), names=["people"], tags={})
    >>> cells, people, facts = cells_of_raster(path, 7, log=IssueLog())
    >>> people.sum(), facts["people"], facts["method"]
    (np.float64(900.0), 900.0, 'each pixel counts in the cell that holds its middle')
    >>> folder.cleanup()
    """
    require_resolution(resolution)
    _require_known("method", method, METHODS)
    _require_known("units", units, UNITS)
    raster = describe(path, nodata=nodata)
    ground = Ground(raster)
    bound = Bound(raster, area)
    plan = _plan(ground, bound.middle, int(resolution), method)
    windows = [window for window in raster.windows() if bound.meets(window)]
    spread = Spread(raster, ground, bound, plan, int(resolution), units == "per_km2")
    _require_few_cells(spread, windows, threads)
    cells: list[Cells] = [np.empty(0, np.uint64)] * len(windows)
    sums: list[NDArray[np.float64]] = [np.empty(0)] * len(windows)
    seen: list[Seen] = [NOTHING] * len(windows)

    def work(low: int, high: int, _stop: NDArray[np.uint8]) -> None:
        for i in range(low, high):
            cells[i], sums[i], seen[i] = spread.part(windows[i])

    run_chunks(work, len(windows), threads=threads, name="people of a raster 人口栅格")
    whole = _together(seen)
    n_pixels = sum(window.rows * window.columns for window in windows)
    _report(raster, whole, plan, int(resolution), n_pixels, log)
    facts = {
        "method": plan.words(WORDS), "method_zh": plan.words(WORDS_ZH), "kind": plan.method, "points": plan.points,
        "people": whole.people, "pixels": n_pixels, "inhabited": whole.inhabited,
        "nodata": whole.nodata + whole.not_finite + whole.negative, "pixel_m2": plan.pixel_m2, "cell_m2": plan.cell_m2,
    }  # fmt: skip
    return *_merged(cells, sums), facts


NOTHING = Seen(0, 0, 0, 0.0, 0, 0.0, 0, 0.0)


class Spread(NamedTuple):
    """What is done with each window."""

    raster: Raster
    ground: Ground
    bound: Bound
    plan: Plan
    resolution: int
    is_density: bool

    def part(self, window: Window) -> tuple[Cells, NDArray[np.float64], Seen]:
        """Read a window and add its people up by cell."""
        values, is_inhabited, counts, least = self.people(window)
        cells, sums, is_lost = self._placed(values, is_inhabited, window)
        lost = float(values[is_lost].sum())
        values[is_lost] = 0
        n_nodata, n_not_finite, n_negative = counts
        seen = Seen(
            n_nodata, n_not_finite, n_negative, least, int(np.count_nonzero(values)), float(values.sum()),
            int(np.count_nonzero(is_lost)), lost,
        )  # fmt: skip
        return cells, sums, seen

    def people(self, window: Window) -> tuple[NDArray[np.float64], NDArray[np.bool_], list[int], float]:
        """Read the people of a window; also return what the kernel `tidy` tells: blocks, counts, and the least."""
        from citygeo._kernels.pixels import tidy

        values = self.raster.read(window)
        is_nan_empty = self.raster.nodata is not None and math.isnan(self.raster.empty)
        counts, extremes = np.empty(3, np.int64), np.empty(2)
        is_inhabited = np.empty((-(-window.rows // BLOCK), -(-window.columns // BLOCK)), np.bool_)
        tidy(values, self.raster.empty, is_nan_empty, BLOCK, counts, extremes, is_inhabited)
        least, most = extremes.tolist()
        if most > MOST_PEOPLE:
            raise error("CG-RAS-008", path=self.raster.path.name, most=f"{most:.17g}")
        self._weigh(values, window)
        return values, is_inhabited, counts.tolist(), least

    def _weigh(self, values: NDArray[np.float64], window: Window) -> None:
        """Leave what is in the area, and people instead of densities."""
        if not self.is_density and self.bound.is_open:
            return
        row, column = np.nonzero(values)
        weight = self.bound.shares(window, row, column, is_exact=self.plan.method == "exact")
        if self.is_density:
            areas = self.ground.areas_m2(window.row + row, window.column + column)
            weight *= np.nan_to_num(areas) / 1e6
        values[row, column] *= weight

    def _placed(
        self, values: NDArray[np.float64], is_inhabited: NDArray[np.bool_], window: Window
    ) -> tuple[Cells, NDArray[np.float64], NDArray[np.bool_]]:
        if self.plan.method == "exact":
            return sums_by_share(self.raster, self.ground, values, window, self.resolution)
        return sums_at_points(self.ground, values, is_inhabited, window, self.resolution, self.plan.points)


def _require_few_cells(spread: Spread, windows: list[Window], threads: int | None) -> None:
    """Raise CG-LIM-002 if there would be too many cells; most rasters are too small for it to need a look at them."""
    each = spread.plan.cells_a_pixel
    if each <= 1 or sum(window.rows * window.columns for window in windows) * each <= hexgrid.MAX_CELLS:
        return
    inhabited = np.zeros(len(windows), np.int64)

    def work(low: int, high: int, _stop: NDArray[np.uint8]) -> None:
        for i in range(low, high):
            inhabited[i] = np.count_nonzero(spread.people(windows[i])[0])

    run_chunks(work, len(windows), threads=threads, name="inhabited pixels 有人口的像元")
    require_few_cells(int(inhabited.sum()) * each, spread.resolution)


def _merged(cells: list[Cells], sums: list[NDArray[np.float64]]) -> tuple[Cells, NDArray[np.float64]]:
    """
    Add up the sums of windows, in their order: then the result is the same however many threads read them.

    The lists are emptied on the way, and cells are sorted rather than hashed, because there may be millions.
    """
    found = np.concatenate([np.empty(0, np.uint64), *cells])
    cells.clear()
    order = np.argsort(found, kind="stable")
    found = found[order]
    people = np.concatenate([np.empty(0), *sums])
    sums.clear()
    people = people[order]
    del order
    if not found.size:
        return found, people
    first = np.flatnonzero(np.append(True, found[1:] != found[:-1]))
    found = found[first]
    return found, np.add.reduceat(people, first)


def _together(seen: list[Seen]) -> Seen:
    """Return what was found in all windows."""
    return Seen(
        sum(one.nodata for one in seen), sum(one.not_finite for one in seen), sum(one.negative for one in seen),
        min((one.least for one in seen), default=0.0), sum(one.inhabited for one in seen),
        math.fsum(one.people for one in seen), sum(one.lost_pixels for one in seen),
        math.fsum(one.lost for one in seen),
    )  # fmt: skip


def _require_known(argument: str, value: str, known: tuple[str, ...]) -> None:
    if value not in known:
        rule = f"It is one of {', '.join(known)}."
        raise error(
            "CG-IN-004", argument=argument, value=value, rule=rule, hint=f"The default is {known[0]}."
        )


def _plan(ground: Ground, middle: tuple[float, float], resolution: int, method: str) -> Plan:
    """Choose how the people of a pixel are spread, by the sizes of pixel and cell in the middle."""
    place = ground.require_place(*middle)
    pixel_m2 = float(ground.areas_m2(*(np.array([int(at)]) for at in middle))[0])
    cell = hexgrid.cells_of_points([place[0]], [place[1]], resolution)
    cell_m2 = float(hexgrid.cell_areas_m2(cell)[0])
    ratio = cell_m2 / pixel_m2
    if method == "auto":
        method = "centre" if ratio >= FINE else "subsample" if ratio >= COARSE else "exact"
    points = math.ceil(math.sqrt(FINE / ratio)) if method == "subsample" else 1
    return Plan(method, min(max(points, 1), MOST_POINTS), pixel_m2, cell_m2)


def _report(raster: Raster, whole: Seen, plan: Plan, resolution: int, n_pixels: int, log: IssueLog) -> None:
    """Record what was found."""
    name, ratio = raster.path.name, plan.cell_m2 / plan.pixel_m2
    log.add(
        "CG-RAS-012", path=name, kind=plan.method, method=plan.words(WORDS), ratio=f"{ratio:.3g}",
    )  # fmt: skip
    log.add("CG-RAS-011", count=int(raster.bands > 1), path=name, bands=raster.bands)
    log.add("CG-RAS-002", count=whole.negative, path=name, least=f"{whole.least:.17g}")
    log.add("CG-RAS-007", count=whole.not_finite, path=name)
    log.add("CG-RAS-009", count=whole.lost_pixels, path=name, people=f"{whole.lost:,.0f}")
    nodata = whole.nodata + whole.not_finite + whole.negative
    log.add(
        "CG-RAS-014", count=int(whole.inhabited == 0), path=name, pixels=f"{n_pixels:,}", nodata=f"{nodata:,}"
    )
    advice = next(
        (level for level in range(resolution, -1, -1) if ratio * 7.0 ** (resolution - level) >= 1), 0
    )
    log.add(
        "CG-RAS-013", count=int(ratio < 1), path=name, resolution=resolution, advice=advice,
        cell_m2=f"{plan.cell_m2:,.0f}", pixel_m2=f"{plan.pixel_m2:,.0f}",
    )  # fmt: skip
