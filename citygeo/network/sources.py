"""The ways into a `RoadNetwork`: one class method per source, all through the same street tables."""

from __future__ import annotations

from abc import ABC, abstractmethod
from pathlib import Path
from typing import TYPE_CHECKING, Any

from citygeo import provenance
from citygeo.modes import travel_mode

if TYPE_CHECKING:
    from typing import Self, TypeAlias

    import geopandas as gpd
    import networkx as nx
    import shapely

    from citygeo.io.streets import StreetTables
    from citygeo.modes import TravelMode

    BBox: TypeAlias = tuple[float, float, float, float]
    Polygon: TypeAlias = shapely.Polygon | shapely.MultiPolygon | gpd.GeoDataFrame | gpd.GeoSeries


class FromSources(ABC):
    """What every source of a network shares; see `RoadNetwork`."""

    @classmethod
    @abstractmethod
    def from_streets(
        cls, streets: StreetTables, mode: TravelMode, sha256: str, elevation: str | Path | None = None
    ) -> Self:
        """Build a network from street tables; see `RoadNetwork.from_streets`."""

    @classmethod
    def from_osm(
        cls,
        path: str | Path,
        mode: str | TravelMode = "drive",
        *,
        bbox: BBox | None = None,
        polygon: Polygon | None = None,
        elevation: str | Path | None = None,
    ) -> Self:
        """
        Build a network from an OSM extract.

        Parameters
        ----------
        path
            An ``.osm.pbf``, ``.osm``, ``.osm.gz`` or ``.osm.bz2`` file, or Overpass JSON.
        mode
            Name of a travel mode, or one made with `citygeo.travel_mode`.
        bbox
            West, south, east, north in WGS 84 degrees: keep segments with at least one end inside.
        polygon
            The same with a polygon: shapely in WGS 84 degrees, or a GeoDataFrame or GeoSeries.
        elevation
            A raster of heights in metres; modes with a slope rule (walking) are slowed down or sped up by it.

        Returns
        -------
        The network, contracted to junctions.

        Raises
        ------
        FileError, FileFormatError
            The file is missing (CG-FILE-001), in another format (CG-FILE-002), cut short (CG-FILE-003) or has no
            roads (CG-FILE-010).
        NetworkError
            The mode is unknown (CG-NET-040) or no road is open to it (CG-NET-024).

        Examples
        --------
        >>> import citygeo as cg
        >>> path = cg.datasets.reykjavik().osm_path
        >>> net = cg.RoadNetwork.from_osm(path, mode="drive", bbox=(-21.96, 64.13, -21.90, 64.16))
        >>> net.n_nodes < net.n_arcs
        True
        """
        from citygeo.io import crop, osm

        chosen = travel_mode(mode)
        streets = osm.read(path, region=crop.region(bbox=bbox, polygon=polygon))
        return cls.from_streets(streets, chosen, provenance.sha256_file(Path(path)), elevation)

    @classmethod
    def from_osmnx(
        cls,
        graph: nx.MultiDiGraph[Any],
        mode: str | TravelMode = "drive",
        *,
        time_column: str | None = None,
        elevation: str | Path | None = None,
    ) -> Self:
        """
        Build a network from an OSMnx graph; see `from_networkx`.

        Parameters
        ----------
        graph
            As OSMnx makes it, simplified or not.
        mode, time_column, elevation
            As in `from_networkx`.

        Examples
        --------
        >>> import citygeo as cg
        >>> net = cg.datasets.reykjavik().network("walk")
        >>> cg.RoadNetwork.from_osmnx(net.to_osmnx(), mode="walk").n_edges == net.n_edges
        True
        """
        return cls.from_networkx(graph, mode, time_column=time_column, elevation=elevation)

    @classmethod
    def from_networkx(
        cls,
        graph: nx.Graph[Any],
        mode: str | TravelMode = "drive",
        *,
        crs: Any = None,
        time_column: str | None = None,
        elevation: str | Path | None = None,
    ) -> Self:
        """
        Build a network from a networkx graph.

        Parameters
        ----------
        graph
            Nodes with ``x`` and ``y``; edges with OSM tags as attributes, and ``geometry`` where they bend. An
            undirected edge is a two-way street; two opposite edges with one geometry are one street.
        mode
            Name of a travel mode, or one made with `citygeo.travel_mode`.
        crs
            CRS of the nodes, where ``graph.graph["crs"]`` does not say.
        time_column
            Edge attribute with seconds of travel. Default: ``time_s`` if `RoadNetwork.to_osmnx` made the
            graph, else the mode's rules say by tags and length.
        elevation
            As in `from_osm`.

        Returns
        -------
        The network. Lengths are the graph's own where it has ``length``.

        Raises
        ------
        InputError, CRSError
            Nodes without place, no CRS, or times that cannot be used.
        NetworkError
            CG-NET-024: no edge is open to the mode.
        """
        from citygeo.io import graphs
        from citygeo.network.export import require_made_for

        chosen = travel_mode(mode)
        require_made_for(graph, chosen, time_column)
        streets = graphs.read(graph, crs=crs, time_column=time_column)
        return cls.from_streets(streets, chosen, streets.sha256(), elevation)

    @classmethod
    def from_place(
        cls,
        place: str | shapely.Polygon | shapely.MultiPolygon,
        mode: str | TravelMode = "drive",
        *,
        elevation: str | Path | None = None,
    ) -> Self:
        """
        Download a place through OSMnx and build its network.

        Parameters
        ----------
        place
            What Nominatim is asked for, such as ``"厦门市, 中国"``, or a polygon in WGS 84 degrees.
        mode
            Name of a travel mode, or one made with `citygeo.travel_mode`.
        elevation
            As in `from_osm`.

        Returns
        -------
        The network; OSMnx tells no turn restrictions.

        Raises
        ------
        RunError
            The place was not found or no server could be reached.
        """
        from citygeo.io import download

        chosen = travel_mode(mode)
        streets = download.read_place(place, chosen.speed_kmh.keys())
        return cls.from_streets(streets, chosen, streets.sha256(), elevation)

    @classmethod
    def from_centerlines(
        cls,
        layer: gpd.GeoDataFrame | str | Path,
        mode: str | TravelMode = "drive",
        *,
        class_column: str | None = None,
        oneway_column: str | None = None,
        speed_column: str | None = None,
        split_crossings: bool = False,
        tolerance_m: float = 0.0,
        elevation: str | Path | None = None,
        **options: Any,
    ) -> Self:
        """
        Build a network from plain lines without topology.

        Parameters
        ----------
        layer
            LineStrings or MultiLineStrings in any CRS, or a file of them (GeoPackage, shapefile, GeoJSON...).
        mode
            Name of a travel mode, or one made with `citygeo.travel_mode`.
        class_column
            Road classes: OSM words, Chinese words (快速路, 主干路, 次干路, 支路...), AutoNavi codes; further ones by
            ``classes={value: OSM highway class}``.
        oneway_column, speed_column
            Directions of travel as drawn, and km/h.
        split_crossings
            Join lines also where they cross and touch, not only at vertices they share; bridges, tunnels and other
            levels (``bridge_column``, ``tunnel_column``, ``level_column``) stay apart.
        tolerance_m
            Close gaps up to so many metres at ends that no other line shares.
        elevation
            As in `from_osm`.
        **options
            More of `citygeo.io.centerlines.read`, which says what is read how.

        Returns
        -------
        The network; ``layer.iloc[edge_way_id - 1]`` are the rows of its edges. What was joined, closed and left is
        in ``net.report().issues``.

        Raises
        ------
        CitygeoError
            As `citygeo.io.centerlines.read`; CG-NET-024 if no line is open to the mode.

        Examples
        --------
        >>> import citygeo as cg, geopandas as gpd
        >>> lines = gpd.GeoSeries.from_wkt(["LINESTRING (0 0, 9 0, 20 0)", "LINESTRING (9 -9, 9 0, 9 9)"], crs=32650)
        >>> roads = gpd.GeoDataFrame({"等级": ["主干路", "支路"]}, geometry=lines)
        >>> net = cg.RoadNetwork.from_centerlines(roads, class_column="等级")
        >>> net.n_nodes, net.n_edges
        (5, 4)
        """
        from citygeo.io import centerlines

        chosen = travel_mode(mode)
        streets = centerlines.read(
            layer, class_column=class_column, oneway_column=oneway_column, speed_column=speed_column,
            split_crossings=split_crossings, tolerance_m=tolerance_m, **options,
        )  # fmt: skip
        return cls.from_streets(streets, chosen, streets.sha256(), elevation)

    @classmethod
    def from_overture(
        cls,
        path: str | Path,
        mode: str | TravelMode = "drive",
        *,
        bbox: BBox | None = None,
        polygon: Polygon | None = None,
        elevation: str | Path | None = None,
    ) -> Self:
        """
        Build a network from Overture transportation segments.

        Parameters
        ----------
        path
            GeoParquet of the segment type, as Overture releases it since September 2024.
        mode
            Name of a travel mode, or one made with `citygeo.travel_mode`.
        bbox, polygon, elevation
            As in `from_osm`.

        Returns
        -------
        The network; ``edge_way_id // 10000 - 1`` are the rows of its edges.

        Raises
        ------
        MissingExtraError
            CG-DEP-001 without pyarrow.
        CitygeoError
            As `citygeo.io.overture.read`.
        """
        from citygeo.io import crop, overture

        chosen = travel_mode(mode)
        streets = overture.read(path, region=crop.region(bbox=bbox, polygon=polygon))
        return cls.from_streets(streets, chosen, provenance.sha256_file(Path(path)), elevation)
