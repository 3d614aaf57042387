"""The table of isochrones, and what it knows of its question."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any, Literal

import geopandas as gpd
import numpy as np

from citygeo.edgeparts import EdgeParts
from citygeo.errors import error
from citygeo.isochrones.arrivals import arrivals
from citygeo.isochrones.responsibility import responsibility
from citygeo.isochrones.tables import Keys

if TYPE_CHECKING:
    from collections.abc import Mapping

    import pandas as pd

    from citygeo.engine import Parts
    from citygeo.isochrones.areas import Look
    from citygeo.isochrones.reached import Overlap, Reach
    from citygeo.isochrones.responsibility import Layer
    from citygeo.issues import IssueLog
    from citygeo.network import Direction, RoadNetwork

Kind = Literal["edges", "polygons", "cells", "raster"]
Bands = Literal["disks", "rings"]


@dataclass(frozen=True)
class Question:
    """What was asked: reach, how it is drawn, and what was found on the way."""

    reach: Reach
    look: Look
    kind: Kind
    bands: Bands
    log: IssueLog
    provenance: dict[str, Any]


class Isochrones(gpd.GeoDataFrame):  # type: ignore[misc]  # geopandas has no types
    """
    Isochrones: a GeoDataFrame with one row per facility and band (or part, or cell), and its question.

    A selection of its rows keeps the question, for a map of some of them; what pandas derives otherwise may lose it.

    Examples
    --------
    >>> import citygeo as cg
    >>> city = cg.datasets.reykjavik()
    >>> iso = cg.isochrones(city.network("fire_engine"), city.stations, minutes=[3, 5], direction="from")
    >>> iso.minutes.tolist()[:2], iso.band_minutes, iso.issues.columns.tolist()[:2]
    ([3.0, 5.0], [3.0, 5.0], ['code', 'severity'])
    """

    # pandas keeps these apart from columns, and pickles them
    _metadata = ["_geometry_column_name", "question"]  # noqa: RUF012  # as pandas has it

    question: Question | None = None

    @classmethod
    def of(cls, table: gpd.GeoDataFrame, question: Question) -> Isochrones:
        """Return a table with its question."""
        made = cls(table)
        made.question = question
        return made

    @property
    def asked(self) -> Question:
        """
        The question.

        Raises
        ------
        InputError
            CG-IN-004: this table is derived from isochrones and has lost it.
        """
        if self.question is None:
            raise error(
                "CG-IN-004", argument="isochrones", value="a table derived from them",
                rule="It no longer knows what was asked.", hint="Use what cg.isochrones returned, or rows of it.",
            )  # fmt: skip
        return self.question

    def require_whole(self) -> None:
        """Raise CG-IN-004 unless all rows are here in their order: what is found out is laid beside them."""
        keys = Keys.of(self.asked.reach)
        minutes = np.array(self.band_minutes)[keys.band]
        is_whole = np.array_equal(self["minutes"].to_numpy(), minutes) and self.index.equals(
            keys.labels(self.asked.reach)
        )
        if not is_whole:
            raise error(
                "CG-IN-004", argument="isochrones", value=f"{len(self)} rows",
                rule=f"All {len(keys.row)} rows are needed, in the order in which they were made.",
                hint="Ask the table that cg.isochrones returned, and choose rows of the answer.",
            )  # fmt: skip

    @property
    def network(self) -> RoadNetwork:
        """The network, without the streets that barriers close."""
        return self.asked.reach.network

    @property
    def facilities(self) -> gpd.GeoDataFrame:
        """The caller's rows."""
        return self.asked.reach.facilities

    @property
    def kind(self) -> Kind:
        """What the rows are: ``edges``, ``polygons`` or ``cells``."""
        return self.asked.kind

    @property
    def bands(self) -> Bands:
        """``disks`` or ``rings``."""
        return self.asked.bands

    @property
    def band_minutes(self) -> list[float]:
        """The upper bounds of the bands, ascending; the column `minutes` has that of each row."""
        return self.asked.reach.minutes

    @property
    def direction(self) -> Direction:
        """``from`` the facilities or ``to`` them."""
        return self.asked.reach.direction

    @property
    def overlap(self) -> Overlap:
        """``overlap``, ``dissolve`` or ``split``."""
        return self.asked.reach.overlap

    @property
    def trim_m(self) -> float:
        """How far off the road ground counts at most."""
        return self.asked.look.trim_m

    @property
    def offroad_kmh(self) -> float:
        """Speed off the road."""
        return self.asked.look.offroad_kmh

    @property
    def cell_m(self) -> float:
        """Distance of the lines of the grid that polygons are drawn on."""
        return self.asked.look.cell_m

    @property
    def log(self) -> IssueLog:
        """Findings; `issues` is the same as a table."""
        return self.asked.log

    @property
    def issues(self) -> pd.DataFrame:
        """Findings as a table: code, severity, count, sample, message."""
        return self.log.table()

    @property
    def provenance(self) -> dict[str, Any]:
        """Inputs with sha256, parameters, versions."""
        return self.asked.provenance

    @property
    def snaps(self) -> gpd.GeoDataFrame:
        """Where each facility stands on the network; see `ServiceArea.snaps`."""
        return self.asked.reach.placed.table(self.network)

    def arrivals(self, k: int = 3) -> gpd.GeoDataFrame:
        """
        Return by how many facilities each stretch of road is reached, and which come first.

        Parameters
        ----------
        k
            How many of the first to tell of.

        Returns
        -------
        One row per stretch: edge, from_m, to_m, depth, and facility_1, time_1_from_s, time_1_to_s and so on in order of
        arrival, within the widest band; geometry in the caller's CRS.

        Raises
        ------
        UnitError
            CG-UNIT-002 if `k` is not 1 to 1000.

        Examples
        --------
        >>> import citygeo as cg
        >>> city = cg.datasets.reykjavik()
        >>> iso = cg.isochrones(city.network("fire_engine"), city.stations, minutes=5, direction="from")
        >>> order = iso.arrivals(k=2)
        >>> int(order.depth.max()) <= 4, bool((order.time_1_from_s <= 300).all())
        (True, True)
        """
        from citygeo.reach.place import require_k

        require_k(k)
        reach = self.asked.reach
        widest = replace(reach, overlap="overlap", minutes=reach.minutes[-1:])
        found = [EdgeParts.none()] * widest.n_rows

        def take(row: int, bands: list[Parts]) -> None:
            found[row] = EdgeParts.sorted(bands[0])

        widest.each(take)
        return arrivals(reach.network, found, reach.facilities.index, reach.facilities.crs, int(k))

    def responsibility(
        self,
        *,
        people: gpd.GeoDataFrame | None = None,
        weight: str = "population",
        class_column: str | None = None,
        limits_km2: Mapping[str, float] | None = None,
        barriers: Layer | Mapping[str, Layer] | None = None,
    ) -> gpd.GeoDataFrame:
        """
        Return the district of responsibility (责任区) of each facility, and how it compares with its standard.

        The district is the ground the facility reaches within the widest band and before all others. It does not
        depend on what is asked here; `barriers` only tell what it reaches across.

        Parameters
        ----------
        people
            Points, buildings or cells with people, in any CRS; a row belongs to the district in which a point inside
            it lies, on a border to the first.
        weight
            The column with the number of people.
        class_column
            The column of the facilities with the class of the station, in Chinese or English: 一级站 (first class,
            7 km2), 二级站 (second class, 4), 小型站 (small, 2), 近郊站 (suburban, fringe, 15), 特勤站 (special, 7) or
            战勤保障站 (support, no limit): 建标152-2017, article 14.
        limits_km2
            Limits by class that are added to these, or take their place.
        barriers
            What a district should not reach across, such as motorways, trunk railways and large rivers (GB 51080-2015,
            4.1.3): lines or polygons with a column ``name`` if wanted, or a mapping from names to such layers.

        Returns
        -------
        One row per facility, labelled as the facilities: facility, status, area_km2, reached_km; population; then
        station_class, limit_km2 (NaN: none) and is_within_limit (missing without a limit or a district); crosses: names
        of the barriers, text, of which each cuts a connected part of the district into at least two pieces of
        2 % of it; geometry. People in no district are the number ``attrs["outside"]``, and a finding of `issues`.

        Raises
        ------
        InputError
            CG-IN-003: unusable numbers of people, unknown classes. CG-IN-004: not asked with ``overlap="split"``,
            ``kind="polygons"`` and ``bands="disks"``; limits without classes; barriers without geometry. CG-IN-005: no
            such column. CG-IN-007: people are no layer.
        UnitError
            CG-UNIT-002: a limit out of range.
        CRSError
            CG-CRS-001: a layer has no CRS.

        Examples
        --------
        >>> import citygeo as cg
        >>> city = cg.datasets.reykjavik()
        >>> stations = city.stations.assign(rank=["一级站", "二级站", "small", "fringe"])
        >>> iso = cg.isochrones(
        ...     city.network("fire_engine"), stations, minutes=5, direction="from", overlap="split"
        ... )
        >>> table = iso.responsibility(class_column="rank")
        >>> table.limit_km2.tolist(), len(table)
        ([7.0, 4.0, 2.0, 15.0], 4)
        """
        return responsibility(
            self, people=people, weight=weight, class_column=class_column, limits_km2=limits_km2, barriers=barriers
        )  # fmt: skip

    def check(self) -> pd.DataFrame:
        """
        Tell how true the polygons are, row by row; see `citygeo.isochrones.check.check`.

        Examples
        --------
        >>> import citygeo as cg
        >>> city = cg.datasets.reykjavik()
        >>> iso = cg.isochrones(city.network("fire_engine"), city.stations, minutes=[3, 5], direction="from")
        >>> told = iso.check()
        >>> bool((told.recall > 0.999999).all()), int(told.unreached_nodes_inside.sum()), bool(told.is_nested.all())
        (True, 0, True)
        """
        from citygeo.isochrones.check import check

        return check(self)

    def explore(self, **options: Any) -> Any:
        """Draw the isochrones on a map, see `citygeo.explore`; with ``column=`` as GeoPandas does."""
        if self.question is None or "column" in options:  # as GeoPandas draws
            return super().explore(**options)
        self._require_rows()
        from citygeo import viz

        return viz.explore(self, **options)

    def plot(self, **options: Any) -> Any:
        """Draw the isochrones for print, see `citygeo.viz.static.plot`; with ``column=`` as GeoPandas does."""
        if self.question is None or "column" in options:  # as GeoPandas draws
            return gpd.GeoDataFrame(self).plot(**options)
        self._require_rows()
        from citygeo.viz import static

        return static.plot(self, **options)

    def _require_rows(self) -> None:
        if not len(self):
            raise error("CG-IN-001", layer="isochrones")
