"""The service area: what facilities reach, and the views of it."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Any

import geopandas as gpd
import pandas as pd
import shapely

from citygeo.edgeparts import EdgeParts, as_multipolygon, cut_lines, ground_near, merge
from citygeo.network.snap import OK
from citygeo.reach.place import to_ms

if TYPE_CHECKING:
    from citygeo.issues import IssueLog
    from citygeo.network import Direction, RoadNetwork
    from citygeo.reach.place import Facilities

WHY_UNSERVED = {
    "not_snapped": "farther from any road than max_snap_m 距路网超过上限",
    "no_geometry": "no geometry 缺少几何",
}


@dataclass(frozen=True, repr=False)
class ServiceArea:
    """
    What facilities reach: exact edge parts, and polygons drawn from them.

    Attributes
    ----------
    network, facilities
        What was asked about; the caller's rows.
    minutes
        The bands, ascending; bounds are inclusive. Where facilities have limits of their own, the longest.
    direction
        ``"from"`` the facility or ``"to"`` it.
    buffer_m
        Drawing radius of the polygons around reached edge parts.
    placed
        Snaps and delays of the facilities.
    parts
        Reached parts by band and facility row.
    log
        Findings; `issues` is the same as a table.
    provenance
        Inputs with sha256, parameters, versions.

    Examples
    --------
    >>> import citygeo as cg
    >>> city = cg.datasets.reykjavik()
    >>> area = cg.service_area(city.network("fire_engine"), city.stations, minutes=5, direction="from")
    >>> area
    <ServiceArea 5 min from 4 of 4 facilities: ... km of road, ... km2>
    """

    network: RoadNetwork
    facilities: gpd.GeoDataFrame
    minutes: list[float]
    direction: Direction
    buffer_m: float
    placed: Facilities
    parts: dict[float, list[EdgeParts]]
    log: IssueLog
    provenance: dict[str, Any]

    @property
    def issues(self) -> pd.DataFrame:
        """Findings as a table: code, severity, count, sample, message."""
        return self.log.table()

    @cached_property
    def snaps(self) -> gpd.GeoDataFrame:
        """
        Where each facility stands on the network; its nearest place if it has several, see `entrances`.

        Columns: status (``ok``, ``not_snapped``, ``no_geometry``), snap_distance_m, snap_time_s, delay_s, edge,
        fraction (0 to 1 along the edge), geometry (the place on the road).
        """
        return self.placed.table(self.network)

    @cached_property
    def entrances(self) -> gpd.GeoDataFrame:
        """
        Every place at which facilities stand on the network, several for a polygon with entrances.

        Columns: edge, fraction, snap_distance_m, side, status, geometry; labelled by facility.
        """
        return self.placed.entrances.table(self.network, self.facilities)

    @cached_property
    def unserved(self) -> gpd.GeoDataFrame:
        """Facilities that are not on the network: the caller's rows with status, snap_distance_m and reason."""
        snaps = self.snaps
        rows = self.facilities[snaps["status"].to_numpy() != OK]
        found = snaps.loc[rows.index, ["status", "snap_distance_m"]]
        return rows.assign(**found, reason=[WHY_UNSERVED[status] for status in found["status"]])

    @cached_property
    def edges(self) -> gpd.GeoDataFrame:
        """
        Reached edge parts, one row each.

        Columns: facility, minutes (the band, or the facility's own limit), edge, from_m and to_m along the edge,
        time_from_s and time_to_s (linear between), geometry in the caller's CRS. An edge reached from both ends has
        two parts that meet where their times are equal.
        """
        frames = [self._edge_frame(band, row) for band in self.minutes for row in range(len(self.facilities))]
        return pd.concat(frames, ignore_index=True)

    def _own_band(self, band: float, row: int) -> float:
        """Return the minutes of a facility in a band: less where its own limit is shorter than the longest."""
        late_ms = int(self.placed.late_ms[row])
        return (to_ms(band) - late_ms) / 60_000 if late_ms else band

    def _edge_frame(self, band: float, row: int) -> gpd.GeoDataFrame:
        parts = self.parts[band][row]
        from_m, to_m = (parts.share * self.network.length_m[parts.edge][:, None]).T
        from_ms, to_ms = (parts.ms - self.placed.late_ms[row]).T
        data = {
            "facility": [self.facilities.index[row]] * len(parts),
            "minutes": self._own_band(band, row),
            "edge": parts.edge,
            "from_m": from_m,
            "to_m": to_m,
            "time_from_s": from_ms / 1000,
            "time_to_s": to_ms / 1000,
        }
        lines = cut_lines(self.network, parts.edge, parts.share, self.facilities.crs)
        return gpd.GeoDataFrame(data, geometry=lines, crs=self.facilities.crs)

    @cached_property
    def _metric_polygons(self) -> dict[float, list[shapely.MultiPolygon]]:
        """Polygon of each band and facility in the network's metric CRS."""
        made = {}
        for band in self.minutes:
            made[band] = [ground_near(self.network, [parts], self.buffer_m) for parts in self.parts[band]]
        return made

    @cached_property
    def polygons(self) -> gpd.GeoDataFrame:
        """
        One row per facility and band: all ground within `buffer_m` of its reached edge parts.

        Columns: facility, minutes (as in `edges`), status, area_km2, reached_km, geometry (MultiPolygon with holes and
        islands).
        """
        rows = [
            (
                label,
                self._own_band(band, row),
                self.placed.snaps.status[row],
                shape.area / 1e6,
                self._reached_km(self.parts[band][row]),
                shape,
            )
            for band in self.minutes
            for row, (label, shape) in enumerate(
                zip(self.facilities.index, self._metric_polygons[band], strict=True)
            )
        ]
        columns = ["facility", "minutes", "status", "area_km2", "reached_km", "geometry"]
        return self._to_callers_crs(pd.DataFrame(rows, columns=columns))

    @cached_property
    def metric_dissolved(self) -> dict[float, shapely.MultiPolygon]:
        """The union of all facilities' polygons of each band, in the network's metric CRS."""
        return {band: ground_near(self.network, parts, self.buffer_m) for band, parts in self.parts.items()}

    @cached_property
    def dissolved(self) -> gpd.GeoDataFrame:
        """One row per band over all facilities: minutes, area_km2, reached_km (each road once), geometry."""
        rows = [
            (
                band,
                self.metric_dissolved[band].area / 1e6,
                self._reached_km(*self.parts[band]),
                self.metric_dissolved[band],
            )
            for band in self.minutes
        ]
        return self._to_callers_crs(
            pd.DataFrame(rows, columns=["minutes", "area_km2", "reached_km", "geometry"])
        )

    def _reached_km(self, *parts: EdgeParts) -> float:
        edge, share = merge(parts)
        return float(((share[:, 1] - share[:, 0]) * self.network.length_m[edge]).sum() / 1000)

    def _to_callers_crs(self, table: pd.DataFrame) -> gpd.GeoDataFrame:
        layer = gpd.GeoDataFrame(table, geometry="geometry", crs=self.network.metric_crs).to_crs(
            self.facilities.crs
        )
        # moving to degrees rounds corners, which can make two edges of a ring touch
        layer.geometry = [as_multipolygon(shape) for shape in shapely.make_valid(layer.geometry.to_numpy())]
        return layer

    def summary(self) -> pd.DataFrame:
        """Return one row per facility and band: status, snap_distance_m, reached_km, area_km2."""
        table = pd.DataFrame(self.polygons.drop(columns="geometry"))
        table.insert(
            3, "snap_distance_m", self.snaps["snap_distance_m"].reindex(table["facility"]).to_numpy()
        )
        return table.set_index(["facility", "minutes"])

    def explore(self, **options: Any) -> Any:
        """Draw the service area on a map; see `citygeo.explore`."""
        from citygeo import viz

        return viz.explore(self, **options)

    def __repr__(self) -> str:
        bands = ", ".join(f"{band:g}" for band in self.minutes)
        n_on = int(self.placed.snaps.is_on.sum())
        km = self._reached_km(*self.parts[self.minutes[-1]])
        area = self.metric_dissolved[self.minutes[-1]].area / 1e6
        return (
            f"<ServiceArea {bands} min {self.direction} {n_on} of {len(self.facilities)} facilities: "
            f"{km:,.1f} km of road, {area:,.1f} km2>"
        )
