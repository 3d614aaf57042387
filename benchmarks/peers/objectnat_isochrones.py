"""
Isochrones of ObjectNat: circles around reached nodes, or buffered roads clipped to them.

The graph and its times are citygeo's own, in minutes and metres. A circle's radius is the rest of the time at the
median speed of all edges.
"""

from __future__ import annotations

import geopandas as gpd
import iduedu
import numpy as np
import objectnat
import shapely

import citygeo as cg

KINDS = ("radius", "ways")


class Built:
    """ObjectNat's tables of nodes and edges."""

    def __init__(self, network):
        self.crs = network.metric_crs
        with_edges = network.to_osmnx()
        place = {node: i for i, node in enumerate(with_edges)}
        u, v, data = zip(*with_edges.edges(data=True), strict=True)
        edges = gpd.GeoDataFrame(
            {
                "u": [place[node] for node in u],
                "v": [place[node] for node in v],
                "length_meter": [one["length"] for one in data],
                "time_min": [one["travel_time"] / 60 for one in data],
            },
            geometry=[one["geometry"] for one in data],
            crs=4326,
        ).to_crs(self.crs)
        quickest = edges.sort_values("time_min").drop_duplicates(["u", "v"]).sort_index(ignore_index=True)
        lonlat = [(one["x"], one["y"]) for _, one in with_edges.nodes(data=True)]
        nodes = gpd.GeoDataFrame(geometry=shapely.points(lonlat), crs=4326).to_crs(self.crs)
        self.graph = iduedu.UrbanGraph(nodes, quickest, is_multigraph=False, is_directed=True)

    def drawn(self, lonlat, minutes, kind):
        """Polygons `(places, bands)`; a place of which nothing is told has an empty one."""
        origins = gpd.GeoDataFrame(geometry=shapely.points(lonlat), crs=4326).to_crs(self.crs)
        found = np.full((len(lonlat), len(minutes)), shapely.MultiPolygon(), object)
        for band, bound in enumerate(minutes):
            made = objectnat.get_graph_isochrones(
                self.graph, weight_value_cutoff=bound, gdf_origins=origins, geometry_type=kind
            )
            found[made.index.to_numpy(), band] = made.geometry.to_numpy()
        return found


def build(graph, _side):
    """Citygeo's network as tables."""
    return Built(cg.RoadNetwork.load(graph.network))


def isochrones(built, sources, minutes):
    """All places in one call for each band, circles as by default."""
    return built.drawn(sources, minutes, "radius")


def isochrones_answer(_built, made, **_given):
    """How many vertices each place's polygons have; nothing to compare."""
    return (shapely.get_num_coordinates(made).sum(axis=1),)
