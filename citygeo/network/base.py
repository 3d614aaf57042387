"""What a road network is: frozen arrays and the views of them, shared by threads and processes."""

from __future__ import annotations

from dataclasses import dataclass, field, fields
from functools import cached_property
from itertools import pairwise
from typing import TYPE_CHECKING, Any, Literal, NamedTuple

import numpy as np

from citygeo import datum
from citygeo.issues import IssueLog
from citygeo.network.states import CLOSED, Arcs, open_arcs

if TYPE_CHECKING:
    from typing import Self

    import pandas as pd
    import pyproj
    import shapely
    from numpy.typing import NDArray

    from citygeo.modes import TravelMode
    from citygeo.network.hierarchy import Hierarchy, Topology

Direction = Literal["from", "to"]


class Graph(NamedTuple):
    """One direction of travel in CSR form, read-only uint32; see `citygeo.network.states.search_arrays`."""

    start: NDArray[np.uint32]
    arc: NDArray[np.uint32]
    edge: NDArray[np.uint32]


class EdgeView(NamedTuple):
    """
    The edges as a search in one direction meets them; columns are along and against the edge.

    Attributes
    ----------
    stop, start
        States of being at the low and the high end of each edge, on arriving and before setting out, `(e, 2)`.
    tail, head
        States at which travel begins and ends, `(e, 2)`.
    along_ms, against_ms
        Times of travel, CLOSED where it may not be used, `(e,)`.
    enter_ms, leave_ms
        What is lost on setting out and on arriving, `(e, 2)`.
    """

    stop: NDArray[np.uint32]
    start: NDArray[np.uint32]
    tail: NDArray[np.uint32]
    head: NDArray[np.uint32]
    along_ms: NDArray[np.uint32]
    against_ms: NDArray[np.uint32]
    enter_ms: NDArray[np.uint32]
    leave_ms: NDArray[np.uint32]


def _frozen(array: NDArray[Any]) -> NDArray[Any]:
    """Return the array with the one layout and writability that kernels are compiled for."""
    plain = np.ascontiguousarray(array)
    if type(plain) is not np.ndarray or plain.flags.writeable:
        plain = plain.view(np.ndarray)
        plain.flags.writeable = False
    return plain


def least_joined(u: NDArray[np.int64], v: NDArray[np.int64], n: int) -> NDArray[np.int64]:
    """
    Return the least node of each node's connected part, whatever the direction of edges.

    Every service area asks for this, and loading scipy's sparse graphs for it alone takes longer than the search.

    Parameters
    ----------
    u, v
        Ends of edges.
    n
        Number of nodes.
    """
    least = np.arange(n)
    while (least[u] != least[v]).any():
        low = np.minimum(least[u], least[v])
        for end in (least[u], least[v]):  # both as they were: what a part is called leads to a lower name
            np.minimum.at(least, end, low)
        while (least != (above := least[least])).any():
            least = above
    return least


@dataclass(frozen=True, eq=False, repr=False)
class NetworkData:
    """Arrays of a network, who travels on it, and where it comes from; see `RoadNetwork`."""

    arrays: dict[str, NDArray[np.generic]]
    mode: TravelMode
    source: dict[str, str]
    log: IssueLog = field(default_factory=IssueLog)

    def __post_init__(self) -> None:
        for name, array in self.arrays.items():
            self.arrays[name] = _frozen(array)

    def __getstate__(self) -> dict[str, Any]:
        """Return what the network is made of; views of it are made again where they are wanted."""
        return {each.name: getattr(self, each.name) for each in fields(self)}

    def __setstate__(self, state: dict[str, Any]) -> None:
        vars(self).update(state)
        self.__post_init__()  # arrays come back writable, for which kernels are not compiled

    @property
    def issues(self) -> pd.DataFrame:
        """What was found while building, as a table: code, severity, count, sample, message."""
        return self.log.table()

    @property
    def n_nodes(self) -> int:
        """Number of junctions, dead ends and places where a street's properties change."""
        return len(self.arrays["node_id"])

    @property
    def n_edges(self) -> int:
        """Number of street pieces between nodes."""
        return len(self.arrays["edge_way_id"])

    @property
    def n_arcs(self) -> int:
        """Number of directions of travel over edges."""
        return len(self.open_arcs().code)

    @property
    def n_states(self) -> int:
        """Number of search states: the nodes, and more where turns are forbidden or cost time."""
        return len(self.arrays["forward_start"]) - 1

    @property
    def length_m(self) -> NDArray[np.float64]:
        """Length of each edge in metres."""
        return self._float("edge_length_m")

    @property
    def node_lonlat(self) -> NDArray[np.float64]:
        """Longitude and latitude of each node, WGS 84."""
        return self._float("node_lonlat")

    @property
    def shape_lonlat(self) -> NDArray[np.float64]:
        """Longitude and latitude of each corner of the edges' drawn lines, WGS 84."""
        return self._float("shape_lonlat")

    def _float(self, name: str) -> NDArray[np.float64]:
        array: NDArray[np.float64] = self.arrays[name]  # type: ignore[assignment]
        return array

    def _uint(self, name: str) -> NDArray[np.uint32]:
        array: NDArray[np.uint32] = self.arrays[name]  # type: ignore[assignment]
        return array

    def graph(self, direction: Direction) -> Graph:
        """Return the graph to search: forward for ``"from"`` a facility, reverse for ``"to"`` it."""
        name = "forward" if direction == "from" else "reverse"
        return Graph(self._uint(f"{name}_start"), self._uint(f"{name}_arc"), self._uint(f"{name}_edge"))

    def edge_view(self, direction: Direction) -> EdgeView:
        """Return the edges as a search in this direction meets them: turned round for ``"to"``."""
        return self._view_from if direction == "from" else self._view_to

    @cached_property
    def _view_from(self) -> EdgeView:
        names = (
            "edge_tail",
            "edge_head",
            "edge_along_ms",
            "edge_against_ms",
            "edge_enter_ms",
            "edge_leave_ms",
        )
        tail, head, along, against, enter, leave = (self._uint(name) for name in names)
        node = self.arrays["edge_node"].astype(np.int64)
        stop, start = (_frozen(self.arrays[name][node]) for name in ("node_arrive", "node_depart"))
        return EdgeView(stop, start, tail, head, along, against, enter, leave)

    @cached_property
    def _view_to(self) -> EdgeView:
        seen = self._view_from
        tail, head, enter, leave = (
            _frozen(side[:, ::-1]) for side in (seen.head, seen.tail, seen.leave_ms, seen.enter_ms)
        )
        return EdgeView(seen.start, seen.stop, tail, head, seen.against_ms, seen.along_ms, enter, leave)

    @property
    def hierarchy(self) -> Hierarchy:
        """The contraction hierarchy, made on first use: a second or so for a city."""
        if not self.has_hierarchy:
            from citygeo.network.hierarchy import make_hierarchy

            vars(self)["_hierarchy"] = make_hierarchy(self)
        made: Hierarchy = vars(self)["_hierarchy"]
        return made

    @property
    def has_hierarchy(self) -> bool:
        """Whether the hierarchy is made; that of the network this was edited from is adapted now, if it fits."""
        inherited: Topology | None = vars(self).pop("_inherited_topology", None)
        if inherited is not None and "_hierarchy" not in vars(self):
            from citygeo.network.hierarchy import customised

            adapted = customised(inherited, self.graph("from"))
            if adapted is not None:
                vars(self)["_hierarchy"] = adapted
        return "_hierarchy" in vars(self)

    @property
    def known_topology(self) -> Topology | None:
        """The topology of the hierarchy, this network's own or that of the one it was edited from."""
        made: Hierarchy | None = vars(self).get("_hierarchy")
        inherited: Topology | None = vars(self).get("_inherited_topology")
        return inherited if made is None else made.topology

    def open_arcs(self) -> Arcs:
        """Return every open direction of travel between nodes, whatever turn rules say: code, tail, head, ms."""
        return open_arcs(self.arrays)

    @property
    def is_open(self) -> NDArray[np.bool_]:
        """Whether each edge may be travelled in some direction; edges closed by an edit stay in the arrays."""
        along, against = self.arrays["edge_along_ms"], self.arrays["edge_against_ms"]
        opened: NDArray[np.bool_] = (along != CLOSED) | (against != CLOSED)
        return opened

    def reversed(self) -> Self:
        """Return the network with every direction of travel turned round; edit it before, not after."""
        turned = dict(self.arrays)
        for one, two in (("edge_along_ms", "edge_against_ms"), ("node_arrive", "node_depart")):
            turned[one], turned[two] = self.arrays[two], self.arrays[one]
        for one, two in (("edge_tail", "edge_head"), ("edge_enter_ms", "edge_leave_ms")):
            turned[one], turned[two] = self.arrays[two][:, ::-1], self.arrays[one][:, ::-1]
        for part in ("start", "arc", "edge"):
            turned[f"forward_{part}"] = self.arrays[f"reverse_{part}"]
            turned[f"reverse_{part}"] = self.arrays[f"forward_{part}"]
        # a sequence of arcs is travelled backwards, each the other way along its edge
        start = self.arrays["turn_start"].astype(np.int64)
        backwards = [self.arrays["turn_arc"][a:b][::-1] for a, b in pairwise(start.tolist())]
        turned["turn_arc"] = np.concatenate([np.empty(0, np.int64), *backwards]).astype(np.int64) ^ 1
        return type(self)(turned, self.mode, self.source, self.log)

    @cached_property
    def words(self) -> list[str]:
        """Highway classes and street names, by number."""
        text = self.arrays["word_bytes"].tobytes()
        start = self.arrays["word_start"].tolist()
        return [text[a:b].decode() for a, b in pairwise(start)]

    @cached_property
    def highway(self) -> NDArray[np.object_]:
        """Highway class of each edge."""
        return np.array(self.words, object)[self.arrays["edge_highway"].astype(np.int64)]

    @cached_property
    def bounds(self) -> tuple[float, float, float, float]:
        """West, south, east, north of the streets in WGS 84 degrees."""
        shape = self.shape_lonlat
        (west, south), (east, north) = shape.min(axis=0), shape.max(axis=0)
        return float(west), float(south), float(east), float(north)

    @cached_property
    def metric_crs(self) -> pyproj.CRS:
        """The CRS to measure and buffer in: the UTM zone of the middle."""
        return datum.working_crs(self.bounds, "the network")

    @cached_property
    def lines_lonlat(self) -> NDArray[np.object_]:
        """The drawn line of each edge, WGS 84."""
        return self._lines(self.shape_lonlat)

    @cached_property
    def lines_metric(self) -> NDArray[np.object_]:
        """The drawn line of each edge in `metric_crs`."""
        import pyproj

        project = pyproj.Transformer.from_crs(datum.WGS84, self.metric_crs, always_xy=True).transform
        return self._lines(np.column_stack(project(*self.shape_lonlat.T)))

    def _lines(self, places: NDArray[np.float64]) -> NDArray[np.object_]:
        import shapely

        start = self.arrays["shape_start"].astype(np.int64)
        owner = np.repeat(np.arange(self.n_edges), np.diff(start))
        return np.asarray(shapely.linestrings(places, indices=owner), object)

    @cached_property
    def tree(self) -> shapely.STRtree:
        """Spatial index of `lines_metric`."""
        import shapely

        return shapely.STRtree(self.lines_metric)

    @cached_property
    def components(self) -> NDArray[np.int32]:
        """Number of the connected part (streets taken both ways) of each node; 0 is the one with most nodes."""
        u, v = self.arrays["edge_node"][self.is_open].astype(np.int64).T
        _, label = np.unique(least_joined(u, v, self.n_nodes), return_inverse=True)
        by_size = np.argsort(-np.bincount(label), kind="stable")
        rank = np.empty(by_size.size, np.int32)
        rank[by_size] = np.arange(by_size.size)
        parts: NDArray[np.int32] = rank[label]
        return parts
