"""citygeo, by the same functions as its peers; what is timed are the calls below."""

from __future__ import annotations

import time
import warnings
from pathlib import Path

import geopandas as gpd
import numba  # noqa: F401  # the kernels import it at their first call: here it is part of the imports
import numpy as np
import scipy.linalg  # noqa: F401  # numba does, before its first kernel
import shapely

import citygeo as cg
from citygeo import engine
from citygeo.engine import Nodes
from citygeo.engine.places import Ends
from citygeo.issues import IssueLog
from citygeo.network.base import Graph
from citygeo.network.hierarchy import customised, make_order, make_topology, state_places
from citygeo.reach.place import place_facilities

STEPS = {}
WGS84 = "EPSG:4326"


class Built:
    """A network, the peers' graph of it, and how it is to be used."""

    def __init__(self, network, graph, side):
        self.network, self.graph, self.threads = network, graph, side.threads
        self.all = Nodes(np.arange(network.n_nodes)) if graph is not None else None


class Mapped:
    """What a search needs of a network, for a graph that is only two mapped arrays."""

    def __init__(self, folder):
        start, arc = (
            np.load(folder / f"{name}.npy", mmap_mode="r").view(np.ndarray) for name in ("start", "arc")
        )
        self._graph = Graph(start, arc, np.empty(0, np.uint32))
        self.n_states = start.size - 1

    def graph(self, _direction):
        """Forward; the arterials are two-way, the streets need not be."""
        return self._graph


class At:
    """Sources at states of a graph without a network."""

    def __init__(self, states):
        self.n_rows, self._states = len(states), states

    def entries(self, _network, _direction):
        """Each is where it is, from the start."""
        return Ends(np.arange(self.n_rows + 1), self._states, np.zeros(self.n_rows, np.int64))


def build(graph, side):
    """The saved network opened, and its hierarchy made if the side asks for it."""
    if isinstance(graph, Path):
        return Built(Mapped(graph), None, side)
    network = cg.RoadNetwork.load(graph.network)
    built = Built(network, graph, side)
    if side.hierarchy:
        vars(network)["_hierarchy"] = prepare(built)
    return built


def counts(built, limits_ms, sources):
    """How many nodes each source reaches, added up in the search."""
    sums = engine.sums(
        built.network, "from", Nodes(sources), built.all, cutoffs_ms=limits_ms.tolist(), threads=built.threads
    )
    return sums.astype(np.int64)


def mapped_counts(built, limits_ms, sources):
    """The same from the settled states of each search."""
    made = np.zeros((len(sources), 1), np.int64)

    def collect(row, found):
        made[row] = found.node.size

    engine.search_each(built.network, "from", At(sources), int(limits_ms[-1]), collect, threads=built.threads)
    return made


def trees(built, sources):
    """All times from each source, in one table."""
    return engine.times(built.network, "from", Nodes(sources), built.all, threads=built.threads)


def table(built, sources, targets):
    """Times between nodes."""
    return engine.times(built.network, "from", Nodes(sources), Nodes(targets), threads=built.threads)


def table_of_places(built, sources, targets):
    """Times between places on the map; to put them on the streets is part of the call."""
    start, goal = (_placed(built.network, places) for places in (sources, targets))
    return engine.times(built.network, "from", start, goal, threads=built.threads)


def _placed(network, lonlat):
    layer = gpd.GeoDataFrame(geometry=shapely.points(lonlat), crs=WGS84)
    return place_facilities(
        network, layer, delay_s=0.0, max_snap_m=200.0, log=IssueLog(), name="places"
    ).places


def nearest(built, facilities, k):
    """Facilities that each node comes to soonest."""
    return engine.nearest(built.network, "to", Nodes(facilities), built.all, k=k, threads=built.threads)


def prepare(built, **_given):
    """Order, topology and times of the hierarchy; the seconds of each are kept."""
    graph = built.network.graph("from")
    begin = time.perf_counter()
    order = make_order(graph, state_places(built.network))
    ordered = time.perf_counter()
    topology = make_topology(*order)
    joined = time.perf_counter()
    hierarchy = customised(topology, graph)
    STEPS.update(order=ordered - begin, build=joined - ordered, customise=time.perf_counter() - joined)
    return hierarchy


def prepare_answer(built, made, sources, targets):
    """The times of a few pairs by sweeps of this hierarchy."""
    vars(built.network)["_hierarchy"] = made
    return engine.times(built.network, "from", Nodes(sources), Nodes(targets), engine="cch")


def customise_given(built, given):
    """The peers' arcs with new times, as a network keeps them."""
    arc = np.column_stack((built.graph.head, given["ms"])).astype(np.uint32)
    return {"ms": Graph(built.graph.start().astype(np.uint32), arc, np.empty(0, np.uint32))}


def customise(built, ms, **_given):
    """New times in the same topology."""
    return customised(built.network.hierarchy.topology, ms)


def customise_answer(built, made, sources, targets, **_given):
    """The times of a few pairs by sweeps of this hierarchy."""
    return prepare_answer(built, made, sources, targets)


def isochrones(built, sources, minutes, kind="polygons"):
    """Polygons of all places in one call; to put them on the streets is part of it."""
    layer = gpd.GeoDataFrame(geometry=shapely.points(sources), crs=WGS84)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        return cg.isochrones(
            built.network, layer, minutes=minutes, direction="from", kind=kind, threads=built.threads
        )


def isochrones_answer(_built, made, sources, **_given):
    """How many vertices each place's polygons have; nothing that could be compared with areas of other speeds."""
    return (shapely.get_num_coordinates(made.geometry.to_numpy()).reshape(len(sources), -1).sum(axis=1),)


def edge_parts(built, sources, minutes):
    """The reached parts of roads as lines, with times."""
    return isochrones(built, sources, minutes, kind="edges")


def edge_parts_answer(_built, made, sources, **_given):
    """How many parts each place reaches."""
    return (np.bincount(made.index.to_numpy(), minlength=len(sources)),)
