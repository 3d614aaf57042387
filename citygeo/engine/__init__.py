"""
Travel times between places, the nearest ones, and sums of what is reached: one door to two engines.

Bounded Dijkstra and sweeps over a customizable contraction hierarchy give the same answers, bit for bit, for any
number of threads and any order of rows; `citygeo.engine.choice` says which one is used when.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from citygeo.engine import bounded, sweeps
from citygeo.engine.bounded import Found, Parts, nearest_states, owned_parts, reached_parts, search_each
from citygeo.engine.choice import Engine, choose, require_engine
from citygeo.engine.places import LONGEST_MS, UNREACHED, Nodes, Own, Places
from citygeo.engine.reached import Within, within
from citygeo.engine.weights import Weights

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    from citygeo.network import Direction, RoadNetwork

MOST_SWEPT_NEAREST = 16  # sources of which sweeps find the nearest sooner than one search from all does

__all__ = [
    "LONGEST_MS",
    "UNREACHED",
    "Engine",
    "Found",
    "Nodes",
    "Own",
    "Parts",
    "Places",
    "Weights",
    "Within",
    "nearest",
    "nearest_states",
    "owned_parts",
    "reached_parts",
    "require_engine",
    "search_each",
    "sums",
    "times",
    "within",
]


def times(
    network: RoadNetwork,
    direction: Direction,
    sources: Places | Nodes,
    targets: Places | Nodes,
    limit_ms: int = LONGEST_MS,
    *,
    engine: Engine = "auto",
    threads: int | None = None,
) -> NDArray[np.uint32]:
    """
    Return the time of every pair.

    Parameters
    ----------
    network
        The road network.
    direction
        ``"from"`` sources to targets, or ``"to"`` the sources.
    sources, targets
        Rows of places, or nodes. A row with several places counts from and to the nearest of them.
    limit_ms
        Inclusive bound.
    engine
        ``"auto"``, ``"dijkstra"`` or ``"cch"``.
    threads
        All processors if `None`.

    Returns
    -------
    Milliseconds, `(sources, targets)`, UNREACHED beyond the bound.

    Examples
    --------
    >>> import citygeo as cg
    >>> net = cg.datasets.reykjavik().network("drive")
    >>> times(net, "from", Nodes(np.array([0, 1])), Nodes(np.array([1]))).shape
    (2, 1)
    """
    limit = max(min(limit_ms, LONGEST_MS), 0)
    if sources.n_rows == 0 or targets.n_rows == 0:
        return np.full((sources.n_rows, targets.n_rows), UNREACHED)
    choice = choose(network, direction, sources, targets, limit, engine, has_goals=True)
    side = choice.side
    run = sweeps.times if choice.engine == "cch" else bounded.times
    table = run(network, side.direction, side.sources, side.targets, limit, threads=threads)
    return table.T if side.is_turned else table


def sums(
    network: RoadNetwork,
    direction: Direction,
    sources: Places | Nodes,
    targets: Places | Nodes,
    weights: NDArray[np.float64] | None = None,
    *,
    cutoffs_ms: Sequence[int],
    decay: NDArray[np.float64] | None = None,
    engine: Engine = "auto",
    threads: int | None = None,
) -> NDArray[np.float64]:
    """
    Add up what each source reaches within each cut-off; no list of pairs is made.

    Parameters
    ----------
    network, direction, sources, targets, engine, threads
        As in `times`.
    weights
        What targets weigh, `(targets,)` or `(targets, q)`; 1 each if `None`. Rounded as `Weights.made` says.
    cutoffs_ms
        Ascending, inclusive.
    decay
        What a target counts, 0 to 1, at each whole millisecond from 0 to the last cut-off; in steps of 2**-30.

    Returns
    -------
    Sums, `(sources, cut-offs)`, or `(sources, cut-offs, q)` for weights of two dimensions.

    Examples
    --------
    >>> import citygeo as cg
    >>> net = cg.datasets.reykjavik().network("drive")
    >>> counts = sums(net, "from", Nodes(np.arange(5)), Nodes(np.arange(net.n_nodes)), cutoffs_ms=[60_000, 120_000])
    >>> bool((counts[:, 0] <= counts[:, 1]).all())
    True
    """
    given = np.ones(targets.n_rows) if weights is None else np.asarray(weights, np.float64)
    cutoffs = [min(int(cutoff), LONGEST_MS) for cutoff in cutoffs_ms]
    made = Weights.made(given.reshape(targets.n_rows, -1), cutoffs, decay)
    if sources.n_rows == 0 or targets.n_rows == 0:
        total = np.zeros((sources.n_rows, *made.shape), np.int64)
    else:
        choice = choose(network, direction, sources, targets, cutoffs[-1], engine)
        side = choice.side
        run = sweeps.sums if choice.engine == "cch" else bounded.sums
        total = run(
            network,
            side.direction,
            side.sources,
            side.targets,
            made,
            is_turned=side.is_turned,
            threads=threads,
        )
    found = made.unscaled(total)
    return found if given.ndim == 2 else found[:, :, 0]


def nearest(
    network: RoadNetwork,
    direction: Direction,
    sources: Places | Nodes,
    targets: Places | Nodes,
    limit_ms: int = LONGEST_MS,
    *,
    k: int = 1,
    engine: Engine = "auto",
    threads: int | None = None,
) -> tuple[NDArray[np.uint32], NDArray[np.int64]]:
    """
    Return each target's `k` nearest sources; equal times go to the smallest row.

    Parameters
    ----------
    network, sources, targets, limit_ms, engine, threads
        As in `times`; sources are the facilities here, targets are who looks for the nearest.
    direction
        ``"from"`` the sources, or ``"to"`` them.
    k
        Number of sources wanted.

    Returns
    -------
    Milliseconds and rows of sources, `(targets, k)`; UNREACHED and -1 where there are no more.

    Examples
    --------
    >>> import citygeo as cg
    >>> net = cg.datasets.reykjavik().network("drive")
    >>> ms, row = nearest(net, "to", Nodes(np.array([7, 8])), Nodes(np.array([8])), k=2)
    >>> row[0].tolist()
    [1, 0]
    """
    require_engine(engine)
    limit = max(min(limit_ms, LONGEST_MS), 0)
    if sources.n_rows == 0 or targets.n_rows == 0:
        return np.full((targets.n_rows, k), UNREACHED), np.full((targets.n_rows, k), -1)
    most = min(k, sources.n_rows)
    is_swept = engine == "cch" or (
        engine == "auto" and sources.n_rows <= MOST_SWEPT_NEAREST * most and network.has_hierarchy
    )
    if is_swept:
        near = sweeps.nearest(network, direction, sources, targets, limit, k=most, threads=threads)
    else:
        near = bounded.nearest(network, direction, sources, targets, limit, k=most)
    near = np.pad(near, ((0, 0), (0, k - most)), constant_values=bounded.ALL_ONES)
    row = (near & np.uint64(UNREACHED)).astype(np.int64)
    is_none = row == int(UNREACHED)
    row[is_none] = -1
    ms = (near >> np.uint64(32)).astype(np.uint32)
    ms[is_none] = UNREACHED
    return ms, row
