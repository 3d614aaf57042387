"""
Isochrones by the recipe of OSMnx's example notebook: `networkx.ego_graph`, then a hull or buffers.

The graph and its times are citygeo's own, handed over by `to_osmnx`, so that both know the same reach. The recipe
begins at the nearest node and draws whole edges between reached nodes.
"""

from __future__ import annotations

import networkx as nx
import numpy as np
import osmnx as ox
import pyproj
import shapely

import citygeo as cg

EDGE_M = 25.0  # as in the notebook: edges are buffered, nodes are not, holes are filled


class Built:
    """A graph in metres, and a search for its nodes."""

    def __init__(self, network):
        self.crs = network.metric_crs
        self.graph = ox.project_graph(network.to_osmnx(), to_crs=self.crs)
        self.node = list(self.graph)
        places = [(data["x"], data["y"]) for _, data in self.graph.nodes(data=True)]
        self.tree = shapely.STRtree(shapely.points(places))

    def nearest(self, lonlat):
        """The node nearest to each place."""
        project = pyproj.Transformer.from_crs(4326, self.crs, always_xy=True).transform
        at = shapely.points(np.column_stack(project(*np.asarray(lonlat).T)))
        return [self.node[i] for i in self.tree.query_nearest(at, all_matches=False)[1]]

    def drawn(self, lonlat, minutes, draw):
        """What is drawn of the reach of each place and band, `(places, bands)`."""
        found = np.empty((len(lonlat), len(minutes)), object)
        for row, node in enumerate(self.nearest(lonlat)):
            for band, bound in enumerate(minutes):
                found[row, band] = draw(
                    nx.ego_graph(self.graph, node, radius=60 * bound, distance="travel_time")
                )
        return found


def hull(reached):
    """The convex hull of the reached nodes."""
    places = [(data["x"], data["y"]) for _, data in reached.nodes(data=True)]
    return shapely.convex_hull(shapely.multipoints(places))


def edges(reached):
    """The union of buffered edges without holes."""
    lines = [data["geometry"] for *_, data in reached.edges(data=True)]
    if not lines:
        return shapely.MultiPolygon()
    union = shapely.union_all(shapely.buffer(lines, EDGE_M))
    return shapely.multipolygons([shapely.polygons(part.exterior) for part in shapely.get_parts(union)])


def build(graph, _side):
    """Citygeo's network as a graph of networkx, in metres."""
    return Built(cg.RoadNetwork.load(graph.network))


def isochrones(built, sources, minutes):
    """One place after the other, hulls."""
    return built.drawn(sources, minutes, hull)


def isochrones_answer(_built, made, **_given):
    """How many vertices each place's polygons have; nothing to compare."""
    return (shapely.get_num_coordinates(made).sum(axis=1),)
