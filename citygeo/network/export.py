"""Hand a network to OSMnx and networkx, and tell whose times a graph holds that comes back."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import numpy as np

import citygeo
from citygeo.errors import error
from citygeo.io.graph_arcs import OFF_GROUND_COLUMN
from citygeo.io.graphs import DELAY_COLUMN, IMPUTED_COLUMN, MOVING_COLUMN, ORIGINAL_ID
from citygeo.io.off_ground import BRIDGE, GROUND, LETTERS, TUNNEL
from citygeo.issues import IssueLog
from citygeo.network.states import CLOSED

if TYPE_CHECKING:
    from collections.abc import Iterator

    import networkx as nx
    from numpy.typing import NDArray

    from citygeo.modes import TravelMode
    from citygeo.network import RoadNetwork

CRS = "epsg:4326"
MODE_KEY = "citygeo_mode"


def to_osmnx(network: RoadNetwork) -> nx.MultiDiGraph[Any]:
    """
    Return the network as OSMnx would hold it: one edge per open direction of travel.

    Parameters
    ----------
    network
        Any network.

    Returns
    -------
    Nodes: ``x``, ``y`` (WGS 84 degrees), ``street_count``; a barrier that cuts a street is a node for each piece,
    of which all but the first have new ids above the largest and say whose place they take in ``citygeo_node_id``.
    Edges: ``osmid`` (the way), ``highway``, ``name``, ``oneway``, ``reversed``, ``length`` (metres), ``geometry``,
    ``speed_kph``, ``travel_time`` (seconds, delay included), ``time_s`` (moving), ``delay_s`` (lost on arriving),
    ``is_imputed`` (the speed is assumed); where an edge is not all on the ground, ``off_ground`` (a letter for each
    segment of the geometry: g ground, b bridge, t tunnel, f ferry), and ``bridge`` and ``tunnel``, "yes" if any segment
    is one. The graph: ``crs``, ``simplified``, and the travel mode as JSON in ``citygeo_mode``.

    Warns
    -----
    CitygeoWarning
        CG-GRF-017, CG-GRF-018: turn restrictions and turn costs, which the graph cannot hold.

    Examples
    --------
    >>> import citygeo as cg
    >>> graph = to_osmnx(cg.datasets.reykjavik().network("walk"))
    >>> graph.graph["crs"], graph.graph["simplified"]
    ('epsg:4326', True)
    """
    import networkx as nx

    arcs = network.open_arcs()
    edge, is_against = arcs.code >> 1, (arcs.code & 1).astype(np.bool_)
    node_id = _unique_ids(network)
    made: nx.MultiDiGraph[Any] = nx.MultiDiGraph()
    made.graph.update(crs=CRS, created_with=f"citygeo {citygeo.__version__}", simplified=True)
    made.graph[MODE_KEY] = _as_json(network.mode)
    is_open = network.is_open
    count = np.bincount(network.arrays["edge_node"][is_open].ravel(), minlength=network.n_nodes)
    own_id, lonlat = network.arrays["node_id"].tolist(), network.node_lonlat.tolist()
    for i in np.flatnonzero(count).tolist():
        x, y = lonlat[i]
        original = {} if node_id[i] == own_id[i] else {ORIGINAL_ID: own_id[i]}
        made.add_node(int(node_id[i]), x=x, y=y, street_count=int(count[i]), **original)
    u, v = node_id[arcs.tail].tolist(), node_id[arcs.head].tolist()
    made.add_edges_from(zip(u, v, _attributes(network, edge, is_against), strict=True))
    _announce_left_out(network)
    return made


def require_made_for(graph: nx.Graph[Any], mode: TravelMode, time_column: str | None) -> None:
    """
    Raise if a graph made by `to_osmnx` would lend its times to another travel mode.

    Parameters
    ----------
    graph
        Any graph.
    mode
        Who is to travel.
    time_column
        What the caller chose as times; a choice is not questioned.

    Raises
    ------
    NetworkError
        CG-GRF-005: the times of its edges are those of another mode.
    """
    stated = getattr(graph, "graph", {}).get(MODE_KEY)
    if stated is None or time_column is not None:
        return
    if not any(MOVING_COLUMN in data for *_, data in graph.edges(data=True)):
        return  # times were taken off on purpose: the tags count
    made_for, asked = json.loads(stated), json.loads(_as_json(mode))
    changed = sorted(key for key in made_for.keys() | asked.keys() if made_for.get(key) != asked.get(key))
    if changed:
        raise error("CG-GRF-005", made_for=made_for.get("name"), mode=mode.name, changed=", ".join(changed))


def _as_json(mode: TravelMode) -> str:
    return json.dumps(mode.to_dict(), ensure_ascii=False, sort_keys=True)


def _unique_ids(network: RoadNetwork) -> NDArray[np.int64]:
    """Return node ids, new ones where a barrier makes several nodes of one."""
    ids = network.arrays["node_id"].astype(np.int64)
    order = np.argsort(ids, kind="stable")
    is_repeated = np.zeros(ids.size, np.bool_)
    is_repeated[order[1:]] = ids[order][1:] == ids[order][:-1]
    ids[is_repeated] = ids.max() + 1 + np.arange(int(is_repeated.sum()))
    return ids


def _attributes(
    network: RoadNetwork, edge: NDArray[np.int64], is_against: NDArray[np.bool_]
) -> list[dict[str, Any]]:
    """Return the attributes of each arc as plain values, which GraphML can hold too."""
    import shapely

    arrays = network.arrays
    lines = network.lines_lonlat[edge]
    lines[is_against] = shapely.reverse(lines[is_against])
    both = np.column_stack((arrays["edge_along_ms"], arrays["edge_against_ms"])).astype(np.int64)
    lost = arrays["edge_enter_ms"].astype(np.int64) + arrays["edge_leave_ms"].astype(np.int64)
    side = is_against.astype(np.int64)
    time_ms, delay_ms = both[edge, side], lost[edge, side]
    length_m = network.length_m[edge]
    # a street without length has no speed
    kmh = np.divide(3600.0 * length_m, time_ms, out=np.zeros(edge.size), where=time_ms > 0)
    words = np.array(network.words, object)
    columns = {
        "osmid": arrays["edge_way_id"][edge],
        "highway": network.highway[edge],
        "name": words[arrays["edge_name"][edge].astype(np.int64)],
        "oneway": (both == CLOSED).any(axis=1)[edge],
        "reversed": is_against,
        "length": length_m,
        "geometry": lines,
        "speed_kph": kmh,
        "travel_time": (time_ms + delay_ms) / 1000,
        MOVING_COLUMN: time_ms / 1000,
        DELAY_COLUMN: delay_ms / 1000,
        IMPUTED_COLUMN: arrays["edge_is_imputed"][edge].astype(np.bool_),
    }
    rows = zip(*(column.tolist() for column in columns.values()), strict=True)
    made = [dict(zip(columns, row, strict=True)) for row in rows]
    for row, kinds in zip(made, _spelled_kinds(network, edge, is_against), strict=True):
        if not row["name"]:
            del row["name"]  # OSMnx leaves out what is not there
        row.update(kinds)
    return made


def _spelled_kinds(
    network: RoadNetwork, edge: NDArray[np.int64], is_against: NDArray[np.bool_]
) -> Iterator[dict[str, str]]:
    """Yield the attributes of each arc that say where it is not on the ground."""
    letters = np.frombuffer(LETTERS.encode(), np.uint8)[network.arrays["shape_off_ground"]]
    text = letters.tobytes().decode()
    start = network.arrays["shape_start"].tolist()
    for number, back in zip(edge.tolist(), is_against.tolist(), strict=True):
        own = text[start[number] : start[number + 1] - 1]  # the last corner begins no segment
        if own.strip(LETTERS[GROUND]):
            tags = {
                key: "yes" for key, kind in (("bridge", BRIDGE), ("tunnel", TUNNEL)) if LETTERS[kind] in own
            }
            yield {OFF_GROUND_COLUMN: own[::-1] if back else own, **tags}
        else:
            yield {}


def _announce_left_out(network: RoadNetwork) -> None:
    """Warn of what a graph cannot hold."""
    issues = IssueLog()
    issues.add("CG-GRF-017", count=len(network.arrays["turn_start"]) - 1)
    mode = network.mode
    has_costs = mode.left_turn_s > 0 or mode.right_turn_s > 0 or mode.u_turn_s > 0
    issues.add("CG-GRF-018", count=int(has_costs), mode=mode.name)
    issues.announce(stacklevel=5)
