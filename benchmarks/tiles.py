"""
Made cities of any size: a real one repeated side by side, the copies joined by arterial roads; always **synthetic**.

A copy keeps its streets as they are, so that a search meets real streets; what is made is only that the city goes on.
The same seed gives the same arcs.
"""

from __future__ import annotations

import math

import numpy as np
from numpy.lib.format import open_memmap

SEED = 20261128
JOINS = 24  # arterial roads between two neighbouring copies
GAP_M = 500.0
ARTERIAL_KMH = 60.0


def border_pairs(xy, is_junction, rng, axis):
    """
    Junctions at two opposite borders of a city to be joined across to its next copy.

    Parameters
    ----------
    xy
        Places in metres, `(n, 2)`.
    is_junction
        Which of them may be joined.
    rng
        Draws how far along the border each road lies.
    axis
        0 joins the east border to the west one of the next copy, 1 the north one to the south.

    Returns
    -------
    The nodes at the far and at the near border, `(JOINS,)` each.
    """
    chosen = np.flatnonzero(is_junction)
    across, along = xy[chosen, axis], xy[chosen, 1 - axis]
    level = np.quantile(along, rng.uniform(0.02, 0.98, JOINS))
    # a metre along counts as much as four across, so that the roads start all along the border
    far, near = across.max(), across.min()
    beside = 4 * np.abs(along[None, :] - level[:, None])
    first = chosen[np.argmin((far - across)[None, :] + beside, axis=1)]
    second = chosen[np.argmin((across - near)[None, :] + beside, axis=1)]
    return first, second


def tile_lines(lines, copies, seed=SEED):
    """
    Repeat a layer of streets eastwards.

    Parameters
    ----------
    lines
        Lines with ``highway`` in a CRS of metres.
    copies
        How many there will be.
    seed
        Of the joining roads.
    """
    import geopandas as gpd
    import pandas as pd
    import shapely

    through = lines.highway.isin(("primary", "secondary", "tertiary", "residential"))
    ends = shapely.get_coordinates(lines.geometry[through].boundary)
    xy, meets = np.unique(ends, axis=0, return_counts=True)
    # arterials go from junction to junction: a node with a new street at a dead end would be contracted away
    east, west = border_pairs(xy, meets >= 3, np.random.default_rng(seed), 0)
    step = np.array([np.ptp(lines.total_bounds[[0, 2]]) + GAP_M, 0.0])
    made = []
    for i in range(copies):
        moved = lines.geometry.translate(*(i * step))
        made.append(
            gpd.GeoDataFrame({"highway": lines.highway.to_numpy()}, geometry=moved.to_numpy(), crs=lines.crs)
        )
        if i + 1 < copies:
            roads = shapely.linestrings(np.stack((xy[east] + i * step, xy[west] + (i + 1) * step), axis=1))
            made.append(
                gpd.GeoDataFrame({"highway": "primary"}, geometry=roads, crs=lines.crs, index=range(JOINS))
            )
    return pd.concat(made, ignore_index=True)


def tile_arcs(city, copies, folder, seed=SEED):
    """
    Repeat a graph over a square and write it in CSR form, one copy after the other.

    Parameters
    ----------
    city
        A `Plain` graph.
    copies
        How many; nodes of one copy have numbers in one row, and copies go to and fro through the rows of the square.
    folder
        Gets ``start.npy`` uint32 `(n + 1,)` and ``arc.npy`` uint32 `(m, 2)`: head and milliseconds.
    seed
        Of the joining roads.

    Returns
    -------
    Number of nodes and of arcs.
    """
    rng = np.random.default_rng(seed)
    middle = city.lonlat.mean(axis=0)
    xy = (city.lonlat - middle) * 111_195.0 * np.array([math.cos(math.radians(middle[1])), 1.0])
    is_junction = np.diff(city.start()) >= 3
    pairs = [border_pairs(xy, is_junction, rng, axis) for axis in (0, 1)]
    step = np.ptp(xy, axis=0) + GAP_M
    across = [_arterial_ms(xy, pairs[axis], axis, step[axis]) for axis in (0, 1)]
    columns = math.ceil(math.sqrt(copies))
    place = [(i % columns if (i // columns) % 2 == 0 else columns - 1 - i % columns) for i in range(copies)]
    number = {(place[i], i // columns): i for i in range(copies)}
    joined = [[] for _ in range(copies)]  # (tail, head copy, head, ms) of each copy's arterials
    for (column, row), i in number.items():
        for axis, beside in ((0, (column + 1, row)), (1, (column, row + 1))):
            if beside in number:
                j, (first, second), ms = number[beside], pairs[axis], across[axis]
                joined[i].append((first, j, second, ms))
                joined[j].append((second, i, first, ms))
    n_arcs = city.ms.size * copies + JOINS * sum(map(len, joined))
    assert city.n * copies < 2**32
    assert n_arcs < 2**32
    start = open_memmap(folder / "start.npy", "w+", np.uint32, (city.n * copies + 1,))
    arc = open_memmap(folder / "arc.npy", "w+", np.uint32, (n_arcs, 2))
    done = 0
    for i in range(copies):
        tail = np.concatenate((city.tail, *(road[0] for road in joined[i])))
        head = np.concatenate((city.head + i * city.n, *(road[1] * city.n + road[2] for road in joined[i])))
        ms = np.concatenate((city.ms, *(road[3] for road in joined[i])))
        order = np.argsort(tail, kind="stable")
        own = arc[done : done + tail.size]
        own[:, 0], own[:, 1] = head[order], ms[order]
        start[i * city.n : (i + 1) * city.n] = done + np.searchsorted(tail[order], np.arange(city.n))
        done += tail.size
    start[-1] = done
    start.flush()
    arc.flush()
    return city.n * copies, n_arcs


def _arterial_ms(xy, pair, axis, step):
    """Time along straight roads from one copy to the next."""
    move = np.zeros(2)
    move[axis] = step
    metres = np.hypot(*(xy[pair[1]] + move - xy[pair[0]]).T)
    return np.rint(metres / ARTERIAL_KMH * 3600.0).astype(np.int64)
