"""The graphs of the suite, built once and kept in the cache; without turn rules, so that peers can share them."""

from __future__ import annotations

import json
import re
import shutil
import sys
import time
import warnings
from typing import TYPE_CHECKING

import numpy as np

from benchmarks import data, plain, tiles

if TYPE_CHECKING:
    from pathlib import Path

KM = 1000.0
WUHAN_COPIES = 3

LABELS = {
    "reykjavik": "Reykjavík, drive",
    "goteborg": "Göteborg, drive",
    "wuhan": "Wuhan, drive",
    "wuhan3": "**synthetic** city: Wuhan three times",
    "iceland": "Iceland, drive",
    "world": "highways of the world",
    "tiles10": "**synthetic**: Wuhan 10 times",
    "tiles102": "**synthetic**: Wuhan 102 times",
    "tiles1020": "**synthetic**: Wuhan 1,020 times",
}


def mode():
    """Drive without turn restrictions: every node is one search state, as in the peers."""
    import citygeo as cg

    return cg.travel_mode("drive", vehicles=())


def ensure(name: str, cache: Path) -> Path:
    """Return the folder of a graph, built if it is not there."""
    folder = cache / "graphs" / name
    if (folder / "facts.json").exists() and _is_current(folder):
        return folder
    print(f"building the graph {name}", file=sys.stderr, flush=True)
    part = folder.with_name(f"{name}.part")
    shutil.rmtree(part, ignore_errors=True)
    part.mkdir(parents=True)
    began = time.perf_counter()
    if name.startswith("tiles"):
        _save_tiles(part, int(name.removeprefix("tiles")), cache, began)
    else:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # what the data lacks is no matter here
            _save_network(part, NETWORKS[name](cache), began)
    shutil.rmtree(folder, ignore_errors=True)
    part.replace(folder)
    return folder


def _is_current(folder):
    """Whether this version of citygeo can read the network, if there is one."""
    from citygeo.network.store import SCHEMA

    manifest = folder / "network" / "manifest.json"
    return not manifest.exists() or json.loads(manifest.read_text(encoding="utf-8"))["schema"] == SCHEMA


def _save_network(folder, network, began):
    network.save(folder / "network")
    assert network.n_states == network.n_nodes
    graph = network.graph("from")
    tail = np.repeat(np.arange(network.n_nodes), np.diff(graph.start.astype(np.int64)))
    arcs = plain.reduced(tail, *graph.arc.T)
    facts = {
        "nodes": network.n_nodes,
        "arcs": int(arcs[0].size),
        "build_s": round(time.perf_counter() - began, 2),
    }
    plain.save(folder, *arcs, network.node_lonlat, facts)


def _save_tiles(folder, copies, cache, began):
    nodes, arcs = tiles.tile_arcs(plain.load(ensure("wuhan", cache)), copies, folder)
    facts = {"nodes": nodes, "arcs": arcs, "build_s": round(time.perf_counter() - began, 2)}
    (folder / "facts.json").write_text(json.dumps(facts, indent=1), encoding="utf-8")


def _reykjavik(_cache):
    import citygeo as cg

    return cg.RoadNetwork.from_osm(cg.datasets.reykjavik().osm_path, mode=mode())


def _iceland(cache):
    import citygeo as cg

    return cg.RoadNetwork.from_osm(data.fetch("iceland", cache), mode=mode())


def _goteborg(cache):
    import geopandas as gpd

    import citygeo as cg

    ways = gpd.read_file(data.fetch("goteborg", cache), columns=["highway", "oneway", "maxspeed", "layer"])
    lines = ways[ways.geom_type == "LineString"].to_crs(ways.estimate_utm_crs())
    return cg.RoadNetwork.from_centerlines(
        lines, mode=mode(), class_column="highway", oneway_column="oneway", speed_column="maxspeed"
    )


def _wuhan_lines(cache):
    import geopandas as gpd

    return gpd.read_parquet(data.fetch("wuhan", cache))[["highway", "geometry"]]


def _wuhan(cache):
    import citygeo as cg

    return cg.RoadNetwork.from_centerlines(_wuhan_lines(cache), mode=mode(), class_column="highway")


def _wuhan3(cache):
    import citygeo as cg

    lines = tiles.tile_lines(_wuhan_lines(cache), WUHAN_COPIES)
    return cg.RoadNetwork.from_centerlines(lines, mode=mode(), class_column="highway")


def _world(cache):
    import networkx as nx

    import citygeo as cg

    # the package is a list of dictionaries of kilometres and a list of places, written out as Python
    text = data.fetch("world", cache).read_text(encoding="utf-8")
    arcs, places = (
        re.search(r"^graph=(.*)$", text, re.MULTILINE),
        re.search(r"^nodes=(.*)$", text, re.MULTILINE),
    )
    graph = nx.Graph(crs="EPSG:4326")
    for i, (latitude, longitude) in enumerate(json.loads(places[1])):
        graph.add_node(i, x=longitude, y=latitude)
    for tail, heads in enumerate(json.loads(re.sub(r"(\d+):", r'"\1":', arcs[1]))):
        graph.add_edges_from((tail, int(head), {"length": km * KM}) for head, km in heads.items())
    nx.set_edge_attributes(graph, "trunk", "highway")
    return cg.RoadNetwork.from_networkx(graph, mode=mode())


NETWORKS = {
    "reykjavik": _reykjavik,
    "goteborg": _goteborg,
    "wuhan": _wuhan,
    "wuhan3": _wuhan3,
    "iceland": _iceland,
    "world": _world,
}
