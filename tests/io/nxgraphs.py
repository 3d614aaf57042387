"""Graphs of metre places, and what was read of them."""

from __future__ import annotations

from itertools import pairwise

import networkx as nx
import pytest
import shapely

from citygeo.io import graphs
from tests.toy import lonlat

PLACES = {1: (0, 0), 2: (100, 0), 3: (100, 50), 4: (200, 0)}
KINDS = (nx.Graph, nx.DiGraph, nx.MultiGraph, nx.MultiDiGraph)
STREET = {"highway": "residential"}


def graph(edges, places=PLACES, kind=nx.MultiDiGraph, **attributes):
    """A graph of metre places; an edge is (u, v, attributes), its ``bend`` a list of metre places between."""
    made = kind(**{"crs": "epsg:4326"} | attributes)
    for node, place in places.items():
        x, y = lonlat(*place)
        made.add_node(node, x=x, y=y)
    for u, v, given in edges:
        data = dict(given)
        if "bend" in data:
            data["geometry"] = line(places[u], *data.pop("bend"), places[v])
        made.add_edge(u, v, **data)
    return made


def line(*places):
    return shapely.LineString([lonlat(*place) for place in places])


def ways(streets):
    """Node ids of each way, in order."""
    start = streets.way_start.tolist()
    ids = streets.node_id[streets.way_node].tolist()
    return [ids[a:b] for a, b in pairwise(start)]


def directions(streets):
    return [tags["oneway"] for tags in streets.way_tags]


def found(streets):
    return {item.code: item.count for item in streets.issues.found}


def refused(code, kind, made, **options):
    with pytest.raises(kind) as caught:
        graphs.read(made, **options)
    assert caught.value.code == code
    return caught.value.data
