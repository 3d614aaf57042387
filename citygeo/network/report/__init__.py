"""How fit a network is, before anyone trusts a number from it. Nothing is repaired; everything is told."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from citygeo.issues import IssueLog
from citygeo.network.report.connection import part_tables
from citygeo.network.report.examine import examine, tell
from citygeo.network.report.figures import figure_table, speed_table
from citygeo.network.report.layers import dead_end_table, edge_table, place_table, snap_table

if TYPE_CHECKING:
    import geopandas as gpd
    import pandas as pd

    from citygeo.network import RoadNetwork
    from citygeo.network.report.examine import Found


@dataclass(frozen=True, repr=False)
class NetworkReport:
    """
    Fitness of a network.

    Attributes
    ----------
    network
        What was examined.
    table
        One row per figure: topic, value, unit, meaning, meaning_zh; verdict (``ok``, ``look``, ``bad``, empty for
        plain facts) with its limits look_above and bad_above, which are citygeo's own (``data/report.toml``).
    components, strong_components
        One row per part, most nodes first: nodes, edges, km; streets taken both ways, and as signed. The latter
        also say how they are linked to the main part: ``main``, ``trap`` (can be entered from it, not left to
        it), ``source`` (left, not entered) or ``apart``.
    speeds
        One row per highway class: km, imputed_km, imputed_share, mean_kmh.
    places
        One row per suspicious spot, a point in WGS 84: problem, problem_zh, value, unit, edge, other_edge, node,
        way_id, other_way_id, highway, name. ``apart``, ``trap``, ``source``: km of streets; ``undershoot``: metres to
        `other_edge`; ``duplicate``, ``overlap``: metres drawn again; ``zero_length``; ``fast``, ``slow``: km/h;
        ``unsnapped``: metres from a given point, whose label is the name, to the nearest street. Edges count from
        0, as in `RoadNetwork.snap`; `node` is the id in ``to_gdfs()``.
    snaps
        The given points on their index: edge, snap_distance_m, status, link, road_lon, road_lat; None if none
        were given.
    log
        Findings of the build and of the report; `issues` is the same as a table.
    found
        What the tables were made from, as arrays.
    """

    network: RoadNetwork
    table: pd.DataFrame
    components: pd.DataFrame
    strong_components: pd.DataFrame
    speeds: pd.DataFrame
    places: gpd.GeoDataFrame
    snaps: gpd.GeoDataFrame | None
    log: IssueLog
    found: Found

    @property
    def issues(self) -> pd.DataFrame:
        """Findings as a table: code, severity, count, sample, message."""
        return self.log.table()

    @property
    def edges(self) -> gpd.GeoDataFrame:
        """
        All edges, WGS 84.

        One row each: way_id, highway, name, length_m, kmh_along, kmh_against (NaN where closed), is_imputed, link
        (as of strong parts, or ``closed``), component (-1 if closed), place (row of `places`; missing in the main
        part), problems (other words of `places`, in alphabetical order).
        """
        return edge_table(self.network, self.found)

    @property
    def dead_ends(self) -> gpd.GeoDataFrame:
        """All dead ends, WGS 84, one row each: node, way_id, highway, name."""
        return dead_end_table(self.network, self.found)

    def explore(self, **options: Any) -> Any:
        """Draw what was found on a map; see `citygeo.explore`."""
        from citygeo import viz

        return viz.explore(self, **options)

    def save(self, folder: str | Path) -> dict[str, Path]:
        """
        Write all tables to a folder; each file is written beside its final name and renamed.

        Parameters
        ----------
        folder
            Created if missing.

        Returns
        -------
        Paths by what they hold: ``report.gpkg`` (places, dead ends, edges, points; styled for QGIS),
        ``table.csv``, ``places.csv``, ``components.csv``, ``strong_components.csv``, ``speeds.csv`` and
        ``issues.csv``.

        Raises
        ------
        FileError
            CG-FILE-012 if a file cannot be written.
        """
        from citygeo.viz import export

        return export.save_report(self, Path(folder))

    def __str__(self) -> str:
        from citygeo.network.report.prose import as_text

        return as_text(self)

    def __repr__(self) -> str:
        count = self.table["verdict"].value_counts()
        return (
            f"<NetworkReport of {self.network.source['name']}, {self.network.mode.name}: "
            f"{count.get('bad', 0)} figures bad, {count.get('look', 0)} to look at, {len(self.places)} places>"
        )

    def _repr_html_(self) -> str:
        from citygeo.network.report.prose import as_html

        return as_html(self)


def make_report(
    network: RoadNetwork, points: gpd.GeoDataFrame | None = None, *, max_snap_m: float = 200.0
) -> NetworkReport:
    """
    Examine a network.

    Parameters
    ----------
    network
        What to examine. Edges closed by an edit are counted, and nothing else.
    points
        Facilities or people to be put on it, to see how far from a street they are.
    max_snap_m
        Points farther away do not count as on the network.

    Returns
    -------
    The report. Turn restrictions are counted, but not followed: parts are those of the streets.

    Raises
    ------
    InputError, CRSError, NetworkError, UnitError
        As `citygeo.service_area` for `points` and `max_snap_m`; but points far from every road are told, not refused.

    Examples
    --------
    >>> import citygeo as cg
    >>> report = cg.datasets.reykjavik().network(mode="drive").report()
    >>> report.table.loc["outside_strong_share", "verdict"]
    'look'
    """
    log = IssueLog(list(network.log.found))
    found = examine(network)
    snaps = None if points is None else snap_table(network, found.parts, points, max_snap_m, log)
    table = figure_table(network, found, snaps)
    tell(network, found, table["value"], log)
    weak, strong = part_tables(network, found.parts)
    places = place_table(network, found, snaps)
    return NetworkReport(network, table, weak, strong, speed_table(network), places, snaps, log, found)
