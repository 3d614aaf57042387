"""What a case of the suite is: a piece of work on a graph, done by several sides."""

from __future__ import annotations

from typing import Any, NamedTuple


class Side(NamedTuple):
    """
    Who does it, and how.

    Attributes
    ----------
    name
        As in the table.
    module
        Below ``benchmarks``; has ``build(graph, side)`` and a function named as the case's work.
    threads
        That it may use.
    every
        Only every so many sources, for peers that take each source by itself and would need minutes; rates are then
        per source.
    check_only
        It answers, to compare with, and is not timed.
    is_own_graph
        It reads the map by itself, with speeds and turn costs of its own: no equality is claimed.
    keeps_memory
        Its memory is the graph's, not left over from earlier runs.
    hierarchy
        Citygeo makes its hierarchy before the clock starts, as peers do theirs.
    python
        ``peer`` if it needs another interpreter than the one that runs the suite.
    """

    name: str
    module: str
    threads: int
    every: int = 1
    check_only: bool = False
    is_own_graph: bool = False
    keeps_memory: bool = False
    hierarchy: bool = False
    python: str = "own"

    @property
    def key(self):
        """What tells it from the other sides of a case."""
        return f"{self.name}-{self.threads}"


class Case(NamedTuple):
    """
    One row of goals.

    Attributes
    ----------
    title
        What is done.
    graph
        Name in `benchmarks.graphs`.
    work
        The function of each side's module that is timed.
    given
        Its arguments for a graph.
    sides
        Who does it; the first that is no citygeo is the oracle.
    limit
        Least seconds on this machine: a function of the measured machine, the graph's facts, the threads and the
        answer; or None.
    left_out
        Peers that cannot do it, and why.
    after
        Case whose time per settled node this one is compared with.
    """

    title: str
    graph: str
    work: str
    given: Any
    sides: tuple
    limit: Any = None
    left_out: Any = ()
    after: str = ""

    def side(self, key):
        """The side of this key."""
        return next(side for side in self.sides if side.key == key)

    def arguments(self, graph, side):
        """What a side's function gets: fewer sources where it is asked for a part only."""
        given = self.given(graph)
        if side.every > 1:
            given["sources"] = given["sources"][:: side.every]
        return given


def ours(**options):
    """Citygeo on one thread and on two."""
    return tuple(Side("citygeo", "ours", threads, **options) for threads in (1, 2))


def peer(name, threads=1, **options):
    """A peer, which has a module of its own."""
    return Side(name, f"peers.{name.replace('-', '_')}", threads, **options)
