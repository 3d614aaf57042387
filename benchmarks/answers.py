"""Whether two sides of a case say the same; nothing is timed in the table that does not."""

from __future__ import annotations

import numpy as np
from scipy.sparse import csr_array
from scipy.sparse.csgraph import dijkstra

from benchmarks.plain import UNREACHED

MOST_TREES = 64  # facilities whose whole trees are made to see whether owners are right


def load(folder):
    """The arrays that a side saved, mapped."""
    paths = sorted(folder.glob("answer*.npy"))
    return [np.load(path, mmap_mode="r") for path in paths]


def difference(graph, own, other, own_every, other_every):
    """
    What tells two answers apart, in words; empty if nothing does.

    Parameters
    ----------
    graph
        The `Plain` graph, or `None` where owners need not be looked into.
    own, other
        Arrays of a side and of the one it is compared with.
    own_every, other_every
        Of how many sources each answered one.
    """
    mine, theirs = own[0][:: _step(other_every, own_every)], other[0][:: _step(own_every, other_every)]
    if mine.shape != theirs.shape:
        return f"shape {mine.shape}, not {theirs.shape}"
    # a peer that tells 32-bit floats of seconds is compared after the same rounding
    if mine.dtype == np.float32:
        theirs = seconds(theirs)
    elif theirs.dtype == np.float32:
        mine = seconds(mine)
    if not np.array_equal(mine, theirs):
        share = float(np.mean(mine != theirs))
        return f"{share:.2%} of the numbers differ"
    if len(own) > 1 and len(other) > 1:
        return owners_differ(graph, own, other)
    return ""


def _step(others, owns):
    """To take from an answer what the other one has too."""
    return others // owns if others > owns else 1


def seconds(ms):
    """As pandana tells them: whole milliseconds as a 32-bit float, divided; infinite where nothing is reached."""
    told = np.asarray(ms).astype(np.float32) / np.float32(1000)
    return np.where(ms == UNREACHED, np.float32(np.inf), told)


def owners_differ(graph, own, other):
    """Facilities named by two sides may differ where these are equally far: every one must be as far as was said."""
    where, rank = np.nonzero(own[1] != other[1])
    for named in (own, other):
        owner = named[1][where, rank]
        if (owner < 0).any():
            return "a facility is missing"
        for facility in np.unique(owner)[:MOST_TREES]:
            at = owner == facility
            ms = graph_times(graph, facility)[where[at]]
            said = named[0][where[at], rank[at]]
            if not np.array_equal(seconds(ms) if said.dtype == np.float32 else ms, said):
                return "a facility is not as far as was said"
    return ""


def graph_times(graph_and_facilities, facility):
    """Milliseconds from every node to a facility, by SciPy."""
    graph, facilities = graph_and_facilities
    reverse = csr_array((graph.ms.astype(float), (graph.head, graph.tail)), shape=(graph.n,) * 2)
    ms = dijkstra(reverse, indices=facilities[facility])
    return np.where(np.isinf(ms), UNREACHED, ms).astype(np.uint32)


def units(work, arrays):
    """What an answer consists of and how many: times are shown per one of these."""
    if work in {"counts", "mapped_counts"}:
        return "reached node", int(arrays[0][:, -1].sum())
    if work in {"trees", "table", "table_of_places"}:
        return "node and source", int(arrays[0].size)
    if work == "nearest":
        return "node", int(arrays[0].shape[0])
    if work in {"isochrones", "edge_parts"}:
        return "place", int(arrays[0].shape[0])
    return "run", 1
