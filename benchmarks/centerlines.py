"""
Node layers of centre lines that are drawn without regard to junctions, over a ladder of four sizes.

    python benchmarks/centerlines.py            # prints a table in Markdown

The layer is made of tiles of 1 km, each with ten crooked streets of eight vertices that cross each other and those of
their neighbours; the same seed gives the same layer. Peers get the same lines: `shapely.union_all` and `shapely.node`
node them at crossings (as momepy and OSMnx users do), and the ends of their pieces are made unique. Before anything is
timed, both sides must give the same number of nodes, of pieces and the same length. Peers neither keep the rows of
the pieces nor know levels or tolerances, and give no tables, so they do less. Peak memory is that of this process
after the last row.
"""

from __future__ import annotations

import os
import platform
import resource
import statistics
import time
from importlib.metadata import version

import geopandas as gpd
import numpy as np
import shapely

from citygeo.io import centerlines

SEED = 3
STREETS, VERTICES = 10, 8  # of a tile
TILE_M = 1_000.0
LADDER = (12_500, 25_000, 50_000, 100_000)
RUNS = 3
CRS = 32650


def made_layer(n_lines: int) -> gpd.GeoDataFrame:
    """A square of tiles; coordinates in centimetres, as surveys give them."""
    rng = np.random.default_rng(SEED)
    n_drawn = n_lines + n_lines // 50
    side = int(np.ceil(np.sqrt(n_drawn / STREETS)))
    corner = np.stack(np.divmod(np.arange(n_drawn) // STREETS, side), axis=1) * TILE_M + (400_000, 3_000_000)
    start = rng.uniform(0, TILE_M, (n_drawn, 2))
    heading = rng.choice([0.0, np.pi / 2], n_drawn) + rng.normal(0, 0.2, n_drawn)
    course = np.stack((np.cos(heading), np.sin(heading)), axis=1) * rng.uniform(200, 900, n_drawn)[:, None]
    share = np.linspace(0, 1, VERTICES)[None, :, None]
    xy = (corner + start)[:, None] + course[:, None] * share + rng.normal(0, 5, (n_drawn, VERTICES, 2))
    lines = shapely.linestrings(xy.round(2))
    # where a vertex is this near to another line, a rounding decides whether they touch, and peers round otherwise
    vertex, line = shapely.STRtree(lines).query(
        shapely.points(xy.reshape(-1, 2)), predicate="dwithin", distance=0.02
    )
    lines = np.delete(lines, line[vertex // VERTICES != line])[:n_lines]
    assert lines.size == n_lines
    classes = np.array(["主干路", "次干路", "支路"])[rng.integers(0, 3, n_lines)]
    return gpd.GeoDataFrame({"等级": classes}, geometry=list(lines), crs=CRS)


def read(layer: gpd.GeoDataFrame, **options):
    return centerlines.read(layer, class_column="等级", **options)


def graph_of_ours(streets):
    """Numbers of nodes and of segments between them, and metres in the plane, each piece once."""
    last = np.zeros(streets.way_node.size, bool)
    last[streets.way_start[1:] - 1] = True
    tail = np.flatnonzero(~last)
    pairs = np.unique(
        np.sort(np.column_stack((streets.way_node[tail], streets.way_node[tail + 1])), axis=1), axis=0
    )
    return np.bincount(pairs.ravel(), minlength=streets.node_id.size), len(pairs)


def graph_of_peer(noded):
    xy, part = shapely.get_coordinates(shapely.get_parts(noded), return_index=True)
    _, place = np.unique(xy.round(3) @ [1, 1j], return_inverse=True)
    tail = np.flatnonzero(part[1:] == part[:-1])
    pairs = np.unique(np.sort(np.column_stack((place[tail], place[tail + 1])), axis=1), axis=0)
    return np.bincount(pairs.ravel()), len(pairs)


def union_all(layer):
    return shapely.union_all(layer.geometry.to_numpy())


def node(layer):
    return shapely.node(shapely.multilinestrings(layer.geometry.to_numpy()))


def require_equal(layer):
    """The same graph from both, or no time is told."""
    ours, n_ours = graph_of_ours(read(layer, split_crossings=True))
    for peer in (union_all, node):
        theirs, n_theirs = graph_of_peer(peer(layer))
        assert (ours.size, n_ours) == (theirs.size, n_theirs), (
            peer.__name__,
            ours.size,
            theirs.size,
            n_ours,
            n_theirs,
        )
        np.testing.assert_array_equal(np.bincount(ours), np.bincount(theirs))
    return ours


def timed(work):
    seconds = []
    for _ in range(RUNS):
        start = time.perf_counter()
        work()
        seconds.append(time.perf_counter() - start)
    return statistics.median(seconds)


def row(n_lines):
    layer = made_layer(n_lines)
    degree = require_equal(layer)
    seconds = [
        timed(lambda: read(layer)),
        timed(lambda: read(layer, split_crossings=True)),
        timed(lambda: read(layer, split_crossings=True, tolerance_m=2.0)),
        timed(lambda: union_all(layer)),
        timed(lambda: node(layer)),
    ]
    counts = f"{n_lines:,} | {n_lines * VERTICES:,} | {(degree == 4).sum():,}"
    print(f"| {counts} | " + " | ".join(f"{value:.2f}" for value in seconds) + " |", flush=True)
    return seconds


def main():
    names = ("geopandas", "numpy", "shapely")
    print(f"{os.cpu_count()} cores, {platform.machine()}, Python {platform.python_version()}, ", end="")
    print(", ".join(f"{name} {version(name)}" for name in names) + f"; median of {RUNS} runs, seconds\n")
    print(
        "| lines | vertices | crossings | as drawn | + crossings | + gaps of 2 m | shapely.union_all | shapely.node |"
    )
    print("|---:|---:|---:|---:|---:|---:|---:|---:|")
    rows = [row(n_lines) for n_lines in LADDER]
    growth = " | ".join(f"{last / first:.1f}" for first, last in zip(rows[0], rows[-1], strict=True))
    print(f"| {LADDER[-1] / LADDER[0]:.0f} times | | | {growth} |")
    print(f"\npeak memory {resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024:.0f} MiB")


if __name__ == "__main__":
    main()
