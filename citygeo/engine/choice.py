"""
Which engine, and from which side: by predicted work.

Two engines give the same answers. Bounded searches cost what they settle and need no preparation. Sweeps need the
network's hierarchy, made once, and then cost a fraction per state, but sixteen sources share each sweep and a sweep
covers the ground of all of them. Searching from the other side, backwards, gives the same answers too and costs as
much as there are rows on that side.
"""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING, Literal, NamedTuple, get_args

from citygeo.engine import bounded, sweeps
from citygeo.errors import error

if TYPE_CHECKING:
    from citygeo.engine.places import Nodes, Places
    from citygeo.network import Direction, RoadNetwork

Engine = Literal["auto", "dijkstra", "cch"]

log = logging.getLogger(__name__)

# nanoseconds on one thread of the machine of benchmarks/README.md; only their ratios matter
SETTLED_NS = 45.0  # a state settled by a search
ROW_NS = 20.0  # a row of sixteen times
CLIMB_NS = 4_000.0  # the way of a source to the root
BUILD_NS = 15_000.0  # a state of the hierarchy to be made
FEW = 4  # searches that are not worth a prediction


class Side(NamedTuple):
    """From where to search: the rows to begin at and to end at, and the direction of travel between them."""

    direction: Direction
    sources: Places | Nodes
    targets: Places | Nodes
    is_turned: bool


class Choice(NamedTuple):
    """An engine and a side."""

    engine: Literal["dijkstra", "cch"]
    side: Side


def require_engine(engine: str) -> None:
    """Raise CG-IN-004 unless the engine is known."""
    if engine not in get_args(Engine):
        raise error(
            "CG-IN-004", argument="engine", value=engine, rule='It is "auto", "dijkstra" or "cch".',
            hint="All give the same answer; leave it out.",
        )  # fmt: skip


def sides(direction: Direction, sources: Places | Nodes, targets: Places | Nodes) -> tuple[Side, Side]:
    """Return both sides from which the way between sources and targets can be searched."""
    back: Direction = "to" if direction == "from" else "from"
    return Side(direction, sources, targets, is_turned=False), Side(back, targets, sources, is_turned=True)


def choose(
    network: RoadNetwork,
    direction: Direction,
    sources: Places | Nodes,
    targets: Places | Nodes,
    limit_ms: int,
    engine: Engine,
    *,
    has_goals: bool = False,
) -> Choice:
    """
    Return how to search every way from sources to targets.

    Parameters
    ----------
    network, direction, sources, targets, limit_ms
        What is wanted.
    engine
        ``"auto"``, or the engine that is forced.
    has_goals
        Whether searches end when all targets are found.
    """
    require_engine(engine)
    both = sides(direction, sources, targets)
    fewest = min(both, key=lambda side: side.sources.n_rows)
    chosen = engine if engine != "auto" else _quicker(network, fewest, limit_ms, has_goals=has_goals)
    if chosen == "dijkstra":
        return Choice("dijkstra", fewest)
    return Choice("cch", min(both, key=lambda side: _rows(network, side)))


def _quicker(
    network: RoadNetwork, side: Side, limit_ms: int, *, has_goals: bool
) -> Literal["dijkstra", "cch"]:
    """Return the engine that is predicted to be quicker; a few of many searches are tried for that."""
    n_sources = side.sources.n_rows
    if n_sources <= FEW or (not network.has_hierarchy and n_sources * SETTLED_NS <= BUILD_NS):
        return "dijkstra"  # even if each search took in the whole network
    # what lies within the bound is about the same share of the network from either side
    goals = side.targets.exits(network, side.direction).state if has_goals else None
    settled = bounded.settled_states(network, side.direction, side.sources, limit_ms, goals)
    searching, sweeping = n_sources * settled * SETTLED_NS, _sweep_ns(network, side, settled)
    log.debug("%d searches: %.3g ms predicted, sweeps %.3g ms", n_sources, searching / 1e6, sweeping / 1e6)
    return "dijkstra" if searching <= sweeping else "cch"


def _sweep_ns(network: RoadNetwork, side: Side, settled: float) -> float:
    """Predict the work of sweeps, the hierarchy included unless it is there."""
    n = network.n_states
    # sixteen neighbours cover a little more than one of them, and much of it where each reaches little
    rows = min(n, 1.3 * settled + min(0.03 * n, sweeps.LANES * settled))
    n_sources = side.sources.n_rows
    building = 0.0 if network.has_hierarchy else BUILD_NS * n
    return building + n_sources * CLIMB_NS + -(-n_sources // sweeps.LANES) * rows * ROW_NS


def _rows(network: RoadNetwork, side: Side) -> int:
    """Return the rows to be swept from a side if nothing were bounded: the tie-breaker is the order of sides."""
    batches = -(-side.sources.n_rows // sweeps.LANES)
    return batches * sweeps.n_rows_needed(network, side.targets.exits(network, side.direction))
