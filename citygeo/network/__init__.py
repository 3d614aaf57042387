"""
The road network: frozen arrays, shared by threads and processes.

Promises, each with a test: parallel edges and loops are kept (coverage needs their length), zero times are
legal, islands stay, times are whole milliseconds, and contraction changes no travel time between kept nodes.
"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

from citygeo import provenance
from citygeo.errors import error
from citygeo.io.roadwords import Columns
from citygeo.issues import IssueLog
from citygeo.network import edits
from citygeo.network.base import Direction, EdgeView, Graph, NetworkData
from citygeo.network.sources import FromSources
from citygeo.network.states import CLOSED

if TYPE_CHECKING:
    from collections.abc import Mapping
    from typing import Self

    import geopandas as gpd
    import networkx as nx
    import numpy as np
    import pandas as pd
    import shapely
    from numpy.typing import ArrayLike, NDArray

    from citygeo.io.streets import StreetTables
    from citygeo.modes import TravelMode
    from citygeo.network.report import NetworkReport


# cached properties that depend on the shapes of streets only
DRAWN = ("_box_tree", "bounds", "metric_crs", "lines_lonlat", "lines_metric", "tree")


class RoadNetwork(NetworkData, FromSources):
    """
    A road network of one travel mode.

    Attributes
    ----------
    arrays
        Read-only arrays by name. Nodes `(n,)`: ``node_id``, ``node_lonlat``. Edges `(e,)`: ``edge_node``,
        ``edge_length_m``, ``edge_along_ms``, ``edge_against_ms`` (milliseconds of travel, 4294967295 where
        closed), ``edge_enter_ms``, ``edge_leave_ms`` `(e, 2)` (lost on setting out and on arriving, along and
        against), ``edge_is_imputed``, ``edge_way_id``, ``edge_highway``, ``edge_name`` (numbers of words).
        Shapes: ``shape_start``, and for each corner ``shape_lonlat`` and ``shape_off_ground``, the kind of the
        segment from there to the next corner of the edge (0 on the ground, 1 on a bridge, 2 in a tunnel, 3 on a
        ferry; 0 at the last corner). Forbidden sequences of arcs: ``turn_start``, ``turn_arc``.
        What searches run on, see `citygeo.network.states`: ``edge_tail``, ``edge_head``, ``node_arrive``,
        ``node_depart``, ``forward_*``, ``reverse_*``.
    mode
        Who travels.
    source
        Name and sha256 of what it was built from.
    log
        What was found while building.

    Examples
    --------
    >>> import citygeo as cg
    >>> net = cg.datasets.reykjavik().network(mode="fire_engine")
    >>> net.mode.label_zh
    '消防车'
    """

    @classmethod
    def from_streets(
        cls, streets: StreetTables, mode: TravelMode, sha256: str, elevation: str | Path | None = None
    ) -> Self:
        """
        Build a network from street tables, as every source gives them.

        Parameters
        ----------
        streets
            Ways and nodes.
        mode
            Who travels.
        sha256
            Of the source, for provenance.
        elevation
            A raster of heights in metres, for modes with a slope rule.
        """
        from citygeo.network.build import build_arrays
        from citygeo.network.slope import Elevation

        heights = None if elevation is None else Elevation.read(Path(elevation), mode)
        arrays, issues = build_arrays(streets, mode, heights)
        issues.announce(stacklevel=5)
        return cls(arrays, mode, {"name": streets.source, "sha256": sha256}, issues)

    def save(self, path: str | Path) -> Path:
        """
        Save the network as a folder of ``.npy`` files with a manifest; atomic.

        Parameters
        ----------
        path
            The folder to write, by custom named ``*.net``. An older network there is replaced.

        Returns
        -------
        The folder.

        Raises
        ------
        FileError
            CG-FILE-012 if it cannot be written; the old network is then untouched.
        """
        from citygeo.network import store

        return store.save(self, Path(path))

    @classmethod
    def load(cls, path: str | Path, *, verify: bool = False) -> Self:
        """
        Open a saved network; its arrays are mapped from the files and shared between processes.

        Parameters
        ----------
        path
            A folder written by `save`.
        verify
            Also compare every file with its sha256.

        Raises
        ------
        FileFormatError
            CG-FILE-011 if the folder is not a whole network of this version.
        """
        from citygeo.network import store

        return cls(*store.load(Path(path), verify=verify))

    def snap(self, layer: gpd.GeoDataFrame, *, max_snap_m: float = 200.0, **options: Any) -> gpd.GeoDataFrame:
        """
        Put points, lines or polygons on their nearest open edge.

        Parameters
        ----------
        layer
            Any geometries with a CRS.
        max_snap_m
            Rows farther from any road are not put on it.
        **options
            ``heading``, ``side``, ``polygons`` and others: see `citygeo.network.snap_layer.snap_layer`.

        Returns
        -------
        One row per place, labelled as the layer: edge, fraction, snap_distance_m, side, status, geometry.

        Examples
        --------
        >>> import citygeo as cg
        >>> city = cg.datasets.reykjavik()
        >>> city.network("drive").snap(city.stations).status.tolist()
        ['ok', 'ok', 'ok', 'ok']
        """
        from citygeo.network.snap_layer import snap_layer

        return snap_layer(self, layer, max_snap_m=max_snap_m, **options)

    def with_speeds(
        self,
        factor: float | Mapping[str, float] | pd.DataFrame,
        *,
        hour: Any = None,
        assumed_only: bool = False,
    ) -> RoadNetwork:
        """
        Return the network at other speeds; topology and delays stay, so this costs milliseconds.

        Parameters
        ----------
        factor
            What speeds are multiplied by: a number; a mapping of highway classes, ``"*"`` for all others; or a
            table with a row per class and a column per hour.
        hour
            The column of the table.
        assumed_only
            Leave streets alone whose speed was posted, not assumed by the mode.

        Returns
        -------
        A new network; times of edges are rounded to whole milliseconds.

        Raises
        ------
        InputError
            CG-IN-004: no such hour, a class of neither the network nor the mode, or a factor that is not above 0.

        Examples
        --------
        >>> import citygeo as cg
        >>> net = cg.datasets.reykjavik().network("drive")
        >>> rush = net.with_speeds({"primary": 0.5, "*": 0.8})
        """
        factors = edits.class_factors(self, factor, hour)
        said = [f"{kind}={value:g}" for kind, value in factors.items()]
        return self._edited(
            edits.with_speeds(self, factors, assumed_only=assumed_only),
            f"with_speeds({', '.join([*said, *(['where assumed'] if assumed_only else [])])})",
        )

    def without(
        self,
        edges: ArrayLike | None = None,
        *,
        polygon: shapely.Geometry | gpd.GeoDataFrame | gpd.GeoSeries | None = None,
        spares_bridges: bool = False,
    ) -> RoadNetwork:
        """
        Return the network with streets closed.

        Parameters
        ----------
        edges
            Numbers of edges, or a mask.
        polygon
            Close what lies inside: streets are cut where they cross the boundary. Shapely in WGS 84 degrees, or a
            layer with a CRS.
        spares_bridges
            Whether what passes over or under the polygon, on bridges, in tunnels and on ferries, stays open.

        Returns
        -------
        A new network. Closed edges keep their numbers and their place in the arrays; nothing snaps to them.

        Raises
        ------
        InputError
            CG-IN-004: neither or both given, or numbers that no edge has.

        Examples
        --------
        >>> import citygeo as cg
        >>> net = cg.datasets.reykjavik().network("drive")
        >>> net.without([0, 1]).is_open[:3].tolist()
        [False, False, True]
        """
        if (edges is None) == (polygon is None):
            raise error(
                "CG-IN-004", argument="edges, polygon", value="neither" if edges is None else "both",
                rule="One of them says what is closed.", hint="Call it twice for both.",
            )  # fmt: skip
        if edges is not None:
            numbers = edits.edge_numbers(self, edges)
            return self._edited(
                edits.without_edges(self, numbers), f"without({numbers.size} edges)", numbers.tobytes().hex()
            )
        import shapely

        area = edits.in_metres(self, polygon)
        return self._edited(
            edits.without_inside(self, area, spares_bridges=spares_bridges),
            f"without({shapely.area(area) / 1e6:.3g} km2{', bridges spared' if spares_bridges else ''})",
            shapely.to_wkb(area, hex=True),
        )

    def with_edges(
        self,
        lines: gpd.GeoDataFrame,
        *,
        class_column: str = "highway",
        speed_column: str | None = None,
        oneway_column: str | None = None,
        bridge_column: str | None = None,
        tunnel_column: str | None = None,
        connect_m: float = 5.0,
    ) -> RoadNetwork:
        """
        Return the network with new streets.

        Parameters
        ----------
        lines
            One LineString per street, from end to end; they meet other streets at their ends only.
        class_column, speed_column, oneway_column
            Class, km/h, and direction as drawn, in the words of `from_centerlines`.
        bridge_column, tunnel_column
            Columns that mark bridges and tunnels, which barriers spare and nobody walks off.
        connect_m
            An end this near to a street joins it.

        Returns
        -------
        A new network; old edges keep their numbers, except that a street joined in its middle is cut there and
        its far piece comes at the end. The way ids of new streets count down from -1. They are level, at the mode's
        own speeds (use `with_speeds` afterwards); junctions they make cost what the mode says, signals are not
        known, and turn restrictions hold as before: an ``only_*`` rule does not keep anybody from a new street.

        Raises
        ------
        InputError, NetworkError
            CG-GEO-010: not lines. CG-IN-005: no such column. CG-LINE-003, CG-LINE-005: directions or speeds that
            cannot be read. CG-NET-056: streets closed to the mode.
        """
        columns = Columns(
            class_column, speed_column, oneway_column, bridge=bridge_column, tunnel=tunnel_column
        )
        arrays, log = edits.with_edges(self, lines, columns=columns, connect_m=connect_m)
        log.announce()
        return self._edited(arrays, f"with_edges({len(lines)} streets)", provenance.sha256_layer(lines), log)

    def _edited(
        self,
        arrays: dict[str, NDArray[np.generic]],
        change: str,
        detail: str = "",
        log: IssueLog | None = None,
    ) -> RoadNetwork:
        found = IssueLog([*self.log.found, *(log.found if log is not None else [])])
        edited = {
            "name": f"{self.source['name']} {change}",
            "sha256": provenance.sha256_text(f"{self.source['sha256']} {change} {detail}"),
        }
        net = RoadNetwork(arrays, self.mode, edited, found)
        if net.arrays["shape_lonlat"] is self.arrays["shape_lonlat"]:
            # the same streets in the same places: what was made for drawing and snapping holds
            vars(net).update({name: made for name, made in vars(self).items() if name in DRAWN})
        if self.known_topology is not None:
            vars(net)["_inherited_topology"] = self.known_topology  # used if the new arcs fit into it
        return net

    def report(self, points: gpd.GeoDataFrame | None = None, *, max_snap_m: float = 200.0) -> NetworkReport:
        """
        Tell how fit the network is: connected parts, traps, dead ends and gaps, flaws, assumed speeds.

        Parameters
        ----------
        points
            Facilities or people to be put on it, to see how far from a street they are.
        max_snap_m
            Points farther away do not count as on the network.

        Returns
        -------
        Tables, suspicious places, and a map: see `citygeo.network.report.NetworkReport`.

        Examples
        --------
        >>> import citygeo as cg
        >>> report = cg.datasets.reykjavik().network(mode="drive").report()
        >>> bool(report.table.loc["components", "value"] > 1)
        True
        """
        from citygeo.network.report import make_report

        return make_report(self, points, max_snap_m=max_snap_m)

    def to_gdfs(self) -> tuple[gpd.GeoDataFrame, gpd.GeoDataFrame]:
        """
        Return nodes and edges as GeoDataFrames with OSMnx's conventions.

        Returns
        -------
        Nodes indexed by ``osmid`` with ``x, y``; edges indexed by ``u, v, key``, one row per direction of
        travel, with ``osmid, highway, name, oneway, length_m, time_s, delay_s`` (lost at its end); WGS 84.
        """
        from citygeo.network.tables import nodes_and_edges

        return nodes_and_edges(self)

    def to_osmnx(self) -> nx.MultiDiGraph[Any]:
        """
        Return the network as OSMnx has it: ``ox.*`` functions work on it, and `from_osmnx` gives the same network back.

        Turn restrictions, which such a graph cannot hold, are lost with a warning.
        """
        from citygeo.network.export import to_osmnx

        return to_osmnx(self)

    def explore(self, **options: Any) -> Any:
        """Draw the network on a map; see `citygeo.explore`."""
        from citygeo import viz

        return viz.explore(self, **options)

    def __repr__(self) -> str:
        km = self.length_m.sum() / 1000
        return (
            f"<RoadNetwork {self.mode.name}: {self.n_nodes} nodes, {self.n_edges} edges, {self.n_arcs} arcs, "
            f"{km:,.0f} km, {self.components.max() + 1} components, from {self.source['name']}>"
        )


__all__ = ["CLOSED", "Direction", "EdgeView", "Graph", "RoadNetwork"]
