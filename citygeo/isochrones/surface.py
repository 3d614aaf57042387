"""Travel-time surfaces: the earliest time at each pixel, by road and then on foot across the ground."""

from __future__ import annotations

import json
import math
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any, NamedTuple

import geopandas as gpd
import numpy as np
import pandas as pd
import shapely

import citygeo
from citygeo import datum
from citygeo._run import run_chunks
from citygeo.edgeparts import EdgeParts
from citygeo.engine import Parts
from citygeo.errors import error
from citygeo.isochrones.barriers import zones_of
from citygeo.isochrones.contour import contour, least_m, multipolygon
from citygeo.isochrones.ground import Ground
from citygeo.network.snap import OK
from citygeo.reach.place import to_ms

if TYPE_CHECKING:
    import os
    from collections.abc import Sequence

    import affine
    import pyproj
    from numpy.typing import NDArray

    from citygeo.isochrones.reached import Overlap
    from citygeo.isochrones.result import Question
    from citygeo.issues import IssueLog
    from citygeo.network import Direction, RoadNetwork

MAX_VALUES = 100_000_000  # 400 MB in memory
OUTSIDE = -1  # the zone of nodes that are in none
STRIP_ROWS = 128  # rows per call of the kernel
TIME_BAND = "time_s"
OWNER_BAND = "facility"


@dataclass(frozen=True, repr=False, eq=False)
class TimeSurface:
    """
    A raster of travel times, in the network's metric CRS; the middles of its pixels lie at multiples of `cell_m`.

    A pixel holds the earliest time at which its middle is reached, by road and then in a straight line on foot: a
    place of a road may be left as far as ``trim_m``, and as long as the largest bound holds. From bridges, tunnels and
    ferries nobody walks off. Reached roads are at least 10 m, and half the diagonal of a pixel, wide to each side:
    there, and only there, a time may be above the bound, by what it takes to walk so far. All other pixels are NaN.
    Barriers part the ground into pieces, and each is reached from the roads in it; a walk within a piece is straight,
    also past the end of a barrier.

    Attributes
    ----------
    seconds
        Times, float32 `(bands, rows, columns)`, rows from north to south.
    owner
        Number of the facility that is first at each pixel, int32 `(rows, columns)`, -1 where nobody is; only with
        ``overlap="split"``. Of equal times the first row counts.
    facility
        Labels of the facilities: of the bands with ``overlap="overlap"``, of the numbers in `owner` with ``"split"``,
        `None` with ``"dissolve"``.
    transform
        From column and row to the outer corners of pixels.
    crs
        The network's metric CRS.
    cell_m
        Side of a pixel.
    minutes, direction, offroad_kmh, trim_m
        What was asked.
    network
        The road network.
    snaps
        Where the facilities stand on it.
    log
        Findings; `issues` is the same as a table.
    provenance
        Inputs with sha256, parameters, versions.
    """

    seconds: NDArray[np.float32]
    owner: NDArray[np.int32] | None
    facility: pd.Index[Any] | None
    transform: affine.Affine
    crs: pyproj.CRS
    cell_m: float
    minutes: list[float]
    direction: Direction
    offroad_kmh: float
    trim_m: float
    network: RoadNetwork
    snaps: gpd.GeoDataFrame
    log: IssueLog
    provenance: dict[str, Any]

    @property
    def issues(self) -> pd.DataFrame:
        """Findings as a table: code, severity, count, sample, message."""
        return self.log.table()

    @property
    def overlap(self) -> Overlap:
        """What was asked for where several facilities reach a place."""
        if self.facility is None:
            return "dissolve"
        return "overlap" if self.owner is None else "split"

    def at(self, points: gpd.GeoDataFrame | gpd.GeoSeries) -> pd.Series[Any] | pd.DataFrame:
        """
        Return the seconds of the pixels that points lie in.

        Parameters
        ----------
        points
            Any layer with a CRS; polygons and lines count by a point inside or on them.

        Returns
        -------
        With ``overlap="dissolve"`` a Series ``time_s``; with ``"split"`` a table ``time_s, facility``; with
        ``"overlap"`` a table with a column per facility. Labelled as `points`, NaN where nobody is or no geometry is.

        Raises
        ------
        CRSError
            CG-CRS-001 if the layer has no CRS.
        """
        datum.require_crs(points, "points")
        stand_ins = gpd.GeoSeries(datum.representative_points(points), crs=points.crs)
        places = stand_ins.to_crs(self.crs).to_numpy()
        column = (shapely.get_x(places) - self.transform.c) / self.cell_m
        row = (self.transform.f - shapely.get_y(places)) / self.cell_m
        rows, columns = self.seconds.shape[1:]
        is_in = (column >= 0) & (column < columns) & (row >= 0) & (row < rows)  # not where NaN
        at = row[is_in].astype(np.int64), column[is_in].astype(np.int64)
        seconds = np.full((len(self.seconds), len(points)), np.nan)
        seconds[:, is_in] = self.seconds[:, *at]
        if self.facility is None:
            return pd.Series(seconds[0], index=points.index, name=TIME_BAND)
        if self.owner is None:
            return pd.DataFrame(seconds.T, index=points.index, columns=self.facility)
        number = np.full(len(points), -1)
        number[is_in] = self.owner[at]
        whose = np.full(len(points), None, object)
        whose[number >= 0] = self.facility.to_numpy()[number[number >= 0]]
        return pd.DataFrame({TIME_BAND: seconds[0], OWNER_BAND: whose}, index=points.index)

    def save(self, path: str | os.PathLike[str]) -> None:
        """
        Write a GeoTIFF: seconds as 32-bit numbers, NaN where nobody is.

        Bands are named by facility; with ``overlap="split"`` there are two, times and numbers of facilities, whose
        labels are the JSON list in the tag ``facilities``. Other tags: units, minutes, direction, mode, overlap,
        offroad_kmh, trim_m, source, source_sha256, attribution.

        Parameters
        ----------
        path
            The file, by custom named ``*.tif``; whole or absent.

        Raises
        ------
        FileError
            CG-FILE-012 if it cannot be written.
        """
        from citygeo.io.raster import write_geotiff

        labels = [] if self.facility is None else [str(label) for label in self.facility]
        bands, names = list(self.seconds), labels if self.overlap == "overlap" else [TIME_BAND]
        if self.owner is not None:
            bands.append(np.where(self.owner < 0, np.nan, self.owner).astype(np.float32))
            names = [*names, OWNER_BAND]
        tags = {
            "units": "s",
            "minutes": ", ".join(f"{minutes:g}" for minutes in self.minutes),
            "direction": self.direction,
            "mode": self.network.mode.name,
            "overlap": self.overlap,
            "offroad_kmh": f"{self.offroad_kmh:g}",
            "trim_m": f"{self.trim_m:g}",
            "facilities": json.dumps(labels, ensure_ascii=False),
            "source": self.network.source.get("name", ""),
            "source_sha256": self.network.source.get("sha256", ""),
            "attribution": self.provenance.get("attribution", ""),
            "TIFFTAG_SOFTWARE": f"citygeo {citygeo.__version__}",
        }
        write_geotiff(path, bands, transform=self.transform, crs=self.crs, names=names, tags=tags)

    def __repr__(self) -> str:
        bands = ", ".join(f"{minutes:g}" for minutes in self.minutes)
        n_on = int((self.snaps["status"] == OK).sum())
        n_bands, rows, columns = self.seconds.shape
        km2 = np.isfinite(self.seconds).any(axis=0).sum() * self.cell_m**2 / 1e6
        size = f"{n_bands} x {rows} x {columns} pixels of {self.cell_m:g} m"
        return (
            f"<TimeSurface {bands} min {self.direction} {n_on} of {len(self.snaps)} facilities, {self.overlap}: "
            f"{size}, {km2:,.1f} km2 reached>"
        )


def time_surface(question: Question) -> TimeSurface:
    """Return the travel-time surface of a question's largest bound."""
    look, reach = question.look, question.reach
    widest = replace(reach, minutes=reach.minutes[-1:])
    found: list[Parts | EdgeParts] = [EdgeParts.none()] * widest.n_rows

    def take(row: int, bands: list[Parts]) -> None:
        found[row] = bands[0]

    widest.each(take)
    return surface_of(
        reach.network, found, overlap=reach.overlap, minutes=reach.minutes, direction=reach.direction,
        offroad_kmh=look.offroad_kmh, trim_m=look.trim_m, cell_m=look.cell_m, barrier=look.barrier,
        snaps=reach.placed.table(reach.network), log=question.log, provenance=question.provenance,
        threads=reach.threads,
    )  # fmt: skip


def surface_of(
    network: RoadNetwork,
    parts: Sequence[Parts | EdgeParts],
    *,
    overlap: Overlap,
    minutes: list[float],
    direction: Direction,
    offroad_kmh: float,
    trim_m: float,
    cell_m: float,
    snaps: gpd.GeoDataFrame,
    log: IssueLog,
    provenance: dict[str, Any],
    barrier: shapely.Geometry | None = None,
    threads: int | None = None,
) -> TimeSurface:
    """
    Return the travel-time surface of what facilities reach.

    Parameters
    ----------
    network
        The road network.
    parts
        What each facility reaches within the largest of the bounds, one for each row of `snaps`; with
        ``overlap="dissolve"`` also one for all together.
    overlap
        ``"overlap"``: a band for each facility; ``"dissolve"``: the least time over all; ``"split"``: that, and whose
        it is.
    minutes, direction, offroad_kmh, trim_m, cell_m
        What was asked; ``offroad_kmh=math.inf`` for walks that take no time.
    snaps
        Where the facilities stand; its labels become those of bands.
    log, provenance
        Kept with the result.
    barrier
        Ground nobody walks into or over, in the network's metric CRS.
    threads
        Worker threads; all processors if `None`. The answer does not depend on it.

    Raises
    ------
    LimitError
        CG-LIM-007 if there would be more than 100 million values.
    """
    import affine

    ground = Ground.of(network, offroad_kmh=offroad_kmh, trim_m=trim_m)
    drawing = _Drawing(ground, to_ms(max(minutes)), float(cell_m))
    bands = [_Band.of([own]) for own in parts] if overlap == "overlap" else [_Band.of(parts)]
    grid = drawing.grid(bands)
    if barrier is not None:
        bands = [drawing.parted(band, barrier, network) for band in bands]
    seconds, owner = drawing.draw(bands, grid, has_owner=overlap == "split", threads=threads)
    west, north = (grid.left - 0.5) * cell_m, (grid.top + 0.5) * cell_m
    return TimeSurface(
        seconds=seconds, owner=owner, facility=None if overlap == "dissolve" else snaps.index,
        transform=affine.Affine(cell_m, 0.0, west, 0.0, -cell_m, north), crs=network.metric_crs, cell_m=cell_m,
        minutes=minutes, direction=direction, offroad_kmh=offroad_kmh, trim_m=trim_m, network=network, snaps=snaps,
        log=log, provenance=provenance,
    )  # fmt: skip


class _Band(NamedTuple):
    """Parts of a band, the facility and the zone of each, and the zones: what barriers part; one if `None`."""

    parts: Parts
    owner: NDArray[np.int32]
    zone: NDArray[np.int32]
    zones: NDArray[np.object_] | None

    @classmethod
    def of(cls, parts: Sequence[Parts | EdgeParts]) -> _Band:
        none = EdgeParts.none()
        edge = np.concatenate([none.edge, *(own.edge for own in parts)])
        share = np.concatenate([none.share, *(own.share for own in parts)])
        ms = np.concatenate([none.ms, *(own.ms for own in parts)])
        owner = np.repeat(np.arange(len(parts), dtype=np.int32), [own.edge.size for own in parts])
        parted = Parts(edge, np.ascontiguousarray(share), np.ascontiguousarray(ms))
        return cls(parted, owner, np.zeros(edge.size, np.int32), None)


class _Grid(NamedTuple):
    """Nodes at multiples of the cell: numbers of the westernmost and northernmost, and how many there are."""

    left: int
    top: int
    rows: int
    columns: int


@dataclass(frozen=True)
class _Drawing:
    """The ground contract, applied to the nodes of a grid."""

    ground: Ground
    limit_ms: int
    cell_m: float

    @property
    def rules(self) -> tuple[int, float, float, float]:
        """Limit, milliseconds a metre, and how far places are left at most and at least."""
        least = least_m(self.cell_m)  # so wide that each reached place lies in a pixel that has a time
        return self.limit_ms, 1.0 / self.ground.m_per_ms, max(self.ground.trim_m, least), least

    def grid(self, bands: Sequence[_Band]) -> _Grid:
        """Return the nodes round all that is reached; a single one in the middle of the network if nothing is."""
        from citygeo._kernels.surface import drawn_extent

        box, ground = np.array([np.inf, np.inf, -np.inf, -np.inf]), self.ground
        for band in bands:
            drawn_extent(
                ground.corner,
                ground.along,
                ground.shape_start,
                ground.off_ground,
                *band.parts,
                *self.rules,
                box,
            )
        if not np.isfinite(box).all():
            middle = (ground.corner.min(axis=0) + ground.corner.max(axis=0)) / 2
            box[:2] = box[2:] = np.rint(middle / self.cell_m) * self.cell_m
        left, bottom = (math.ceil(value / self.cell_m) for value in box[:2].tolist())
        right, top = (math.floor(value / self.cell_m) for value in box[2:].tolist())
        grid = _Grid(left, top, top - bottom + 1, right - left + 1)
        n_values = max(len(bands), 1) * grid.rows * grid.columns
        if n_values > MAX_VALUES:
            raise error(
                "CG-LIM-007", cell_m=f"{self.cell_m:g}", bands=len(bands), rows=f"{grid.rows:,}",
                columns=f"{grid.columns:,}", count=f"{n_values:,}", limit=f"{MAX_VALUES:,}",
                advice=math.ceil(1.05 * self.cell_m * math.sqrt(n_values / MAX_VALUES)),
            )  # fmt: skip
        return grid

    def parted(self, band: _Band, barrier: shapely.Geometry, network: RoadNetwork) -> _Band:
        """
        Return the band with a zone for each piece of its ground that a barrier leaves, reached from roads in it only.

        Where a bridge, tunnel or ferry passes the barrier, its own width is a zone too. Parts that run through
        several zones are cut.
        """
        rings = contour(self.ground, band.parts, self.limit_ms, self.cell_m)
        shape = multipolygon(rings)
        zones = zones_of(network, shape, band.parts, barrier, self.rules[-1])
        return _Band(zones.parts, band.owner[zones.origin], zones.zone.astype(np.int32), zones.ground)

    def node_zones(
        self, zones: NDArray[np.object_] | None, left: int, top: int, size: tuple[int, ...]
    ) -> NDArray[np.int32]:
        """Return the zone that each node of a strip lies in."""
        if zones is None:
            return np.zeros(size, np.int32)
        found = np.full(size, OUTSIDE, np.int32)
        x, y = (left + np.arange(size[1])) * self.cell_m, (top - np.arange(size[0])) * self.cell_m
        for number, (zone, (west, south, east, north)) in enumerate(
            zip(zones, shapely.bounds(zones), strict=True)
        ):
            rows, columns = (
                np.flatnonzero((y >= south) & (y <= north)),
                np.flatnonzero((x >= west) & (x <= east)),
            )
            if rows.size and columns.size:
                own = slice(rows[0], rows[-1] + 1), slice(columns[0], columns[-1] + 1)
                shapely.prepare(zone)
                found[own][shapely.contains_xy(zone, *np.meshgrid(x[own[1]], y[own[0]]))] = number
        return found

    def draw(
        self, bands: Sequence[_Band], grid: _Grid, *, has_owner: bool, threads: int | None
    ) -> tuple[NDArray[np.float32], NDArray[np.int32] | None]:
        """Return seconds by band, and whose they are if asked for."""
        from citygeo._kernels.surface import earliest_times

        seconds = np.full((len(bands), grid.rows, grid.columns), np.nan, np.float32)
        owner = np.full((grid.rows, grid.columns), -1, np.int32) if has_owner else None
        n_strips = -(-grid.rows // STRIP_ROWS)

        def work(low: int, _high: int, stop: NDArray[np.uint8]) -> None:
            band, strip = divmod(low, n_strips)
            begin, end = strip * STRIP_ROWS, min((strip + 1) * STRIP_ROWS, grid.rows)
            ms = np.full((end - begin, grid.columns), np.inf)
            whose = np.full(ms.shape, -1, np.int32)
            ground, own = self.ground, bands[band]
            earliest_times(
                ground.corner, ground.along, ground.shape_start, ground.off_ground, *own.parts, own.owner, own.zone,
                *self.rules, self.cell_m, grid.left, grid.top - begin,
                self.node_zones(own.zones, grid.left, grid.top - begin, ms.shape), stop, ms, whose,
            )  # fmt: skip
            is_reached = np.isfinite(ms)
            seconds[band, begin:end][is_reached] = ms[is_reached] / 1000
            if owner is not None:
                owner[begin:end] = whose

        run_chunks(work, len(bands) * n_strips, threads=threads, name="travel-time surface 出行时间面")
        return seconds, owner
