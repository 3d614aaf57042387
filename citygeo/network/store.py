"""
Save a network as a folder: one ``.npy`` per array and a manifest, opened by memory-mapping.

The manifest is written last and is the commit mark. Pickle is refused throughout.
"""

from __future__ import annotations

import json
from dataclasses import asdict
from typing import TYPE_CHECKING, Any

import numpy as np

from citygeo.errors import error
from citygeo.io.atomic import atomic_folder
from citygeo.issues import Issue, IssueLog
from citygeo.modes import TravelMode, mode_from_dict, travel_mode
from citygeo.network.states import NO_EDGE
from citygeo.provenance import sha256_file

if TYPE_CHECKING:
    from pathlib import Path

    from numpy.typing import NDArray

    from citygeo.network import RoadNetwork

SCHEMA = "citygeo.network/3"
MANIFEST = "manifest.json"
# name -> dtype and number of dimensions
ARRAYS = {
    **dict.fromkeys(
        ("node_id", "edge_way_id", "shape_start", "word_start", "turn_start", "turn_arc"), ("<i8", 1)
    ),
    **dict.fromkeys(("node_lonlat", "shape_lonlat"), ("<f8", 2)),
    "edge_length_m": ("<f8", 1),
    "edge_is_imputed": ("|b1", 1),
    **dict.fromkeys(("word_bytes", "shape_off_ground"), ("|u1", 1)),
    **dict.fromkeys(("edge_along_ms", "edge_against_ms", "edge_highway", "edge_name"), ("<u4", 1)),
    **dict.fromkeys(("forward_start", "forward_edge", "reverse_start", "reverse_edge"), ("<u4", 1)),
    **dict.fromkeys(("node_arrive", "node_depart"), ("<u4", 1)),
    **dict.fromkeys(("edge_node", "forward_arc", "reverse_arc"), ("<u4", 2)),
    **dict.fromkeys(("edge_tail", "edge_head", "edge_enter_ms", "edge_leave_ms"), ("<u4", 2)),
}
UNITS = {"time": "milliseconds", "length": "metres", "place": "degrees, WGS 84 longitude and latitude"}


def save(network: RoadNetwork, path: Path) -> Path:
    """Write the folder beside its final name and rename it; see `RoadNetwork.save`."""
    with atomic_folder(path) as folder:
        arrays = {}
        for name, array in network.arrays.items():
            file = folder / f"{name}.npy"
            np.save(file, array, allow_pickle=False)
            arrays[name] = {"dtype": array.dtype.str, "shape": list(array.shape), "sha256": sha256_file(file)}
        manifest = {
            "schema": SCHEMA,
            "units": UNITS,
            "mode": network.mode.to_dict(),
            "source": network.source,
            "issues": [asdict(item) for item in network.log.found],
            "arrays": arrays,
        }
        text = json.dumps(manifest, ensure_ascii=False, indent=1, sort_keys=True)
        (folder / MANIFEST).write_text(text, encoding="utf-8")
    return path


def load(
    path: Path, *, verify: bool
) -> tuple[dict[str, NDArray[np.generic]], TravelMode, dict[str, str], IssueLog]:
    """Map the arrays of a saved network and read its mode, source and issues; see `RoadNetwork.load`."""
    manifest = _manifest(path)
    try:
        mode = travel_mode(mode_from_dict(manifest["mode"]))  # which checks its fields
        issues = IssueLog([Issue(**{**item, "sample": tuple(item["sample"])}) for item in manifest["issues"]])
        source = {"name": str(manifest["source"]["name"]), "sha256": str(manifest["source"]["sha256"])}
        entries = {
            name: (entry["dtype"], entry["shape"], entry["sha256"])
            for name, entry in manifest["arrays"].items()
        }
    except (KeyError, TypeError, ValueError, AttributeError) as cause:
        raise _damaged(path, f"{MANIFEST} lacks or misspells an entry ({cause})") from cause
    if entries.keys() != ARRAYS.keys():
        names = ", ".join(sorted(entries.keys() ^ ARRAYS.keys()))
        raise _damaged(path, f"{MANIFEST} lists other arrays than this version has: {names}")
    arrays = {name: _array(path, name, *entry, verify=verify) for name, entry in entries.items()}
    _check_bounds(path, arrays)
    return arrays, mode, source, issues


def _check_bounds(path: Path, arrays: dict[str, NDArray[np.generic]]) -> None:
    """Raise unless every number that kernels follow stays inside its array: they would read foreign memory."""
    n_nodes, n_edges = len(arrays["node_id"]), len(arrays["edge_way_id"])
    for name, array in arrays.items():
        if name.startswith("edge_") and len(array) != n_edges:
            raise _damaged(path, f"{name} has another length than the edges")
        if array.ndim == 2 and array.shape[1] != 2:
            raise _damaged(path, f"{name} does not hold pairs")
    sizes = {
        "forward": "forward_arc",
        "reverse": "reverse_arc",
        "shape": "shape_lonlat",
        "word": "word_bytes",
        "turn": "turn_arc",
    }
    for name, filled in sizes.items():
        start = arrays[f"{name}_start"].astype(np.int64)
        if start.size == 0 or start[0] != 0 or start[-1] != len(arrays[filled]) or (np.diff(start) < 0).any():
            raise _damaged(path, f"{name}_start is inconsistent")
    n_states, n_words = len(arrays["forward_start"]) - 1, len(arrays["word_start"]) - 1
    if n_states < n_nodes:
        raise _damaged(path, f"forward_start has {n_states} states for {n_nodes} nodes")
    lengths = {"reverse_start": n_states + 1, "shape_start": n_edges + 1}
    lengths["shape_off_ground"] = len(arrays["shape_lonlat"])
    lengths |= dict.fromkeys(("node_lonlat", "node_arrive", "node_depart"), n_nodes)
    lengths |= {"forward_edge": len(arrays["forward_arc"]), "reverse_edge": len(arrays["reverse_arc"])}
    for name, length in lengths.items():
        if len(arrays[name]) != length:
            raise _damaged(path, f"{name} has {len(arrays[name])} rows, not {length}")
    _check_pointers(path, arrays, n_states, n_words)


def _check_pointers(path: Path, arrays: dict[str, NDArray[np.generic]], n_states: int, n_words: int) -> None:
    """Raise unless numbers that stand for nodes, edges, states and words are of ones that there are."""
    n_nodes, n_edges = len(arrays["node_id"]), len(arrays["edge_way_id"])
    bounds = {"edge_node": n_nodes, "turn_arc": 2 * n_edges, "edge_highway": n_words, "edge_name": n_words}
    bounds |= dict.fromkeys(("node_arrive", "node_depart", "edge_tail", "edge_head"), n_states)
    numbers = {name: arrays[name] for name in bounds}
    for graph in ("forward", "reverse"):
        bounds |= {f"{graph}_arc": n_states, f"{graph}_edge": 2 * n_edges}
        edge = arrays[f"{graph}_edge"]
        numbers |= {f"{graph}_arc": arrays[f"{graph}_arc"][:, 0], f"{graph}_edge": edge[edge != NO_EDGE]}
    for name, bound in bounds.items():
        if numbers[name].size and not 0 <= int(numbers[name].min()) <= int(numbers[name].max()) < bound:
            raise _damaged(path, f"{name} points past the end")


def _damaged(path: Path, problem: str) -> Exception:
    return error("CG-FILE-011", path=path.name, problem=problem)


def _manifest(path: Path) -> dict[str, Any]:
    if not path.exists():
        raise error("CG-FILE-001", path=path.name, folder=path.parent, near="none")
    try:
        manifest = json.loads((path / MANIFEST).read_text(encoding="utf-8"))
    except (OSError, ValueError) as cause:
        raise _damaged(path, f"no readable {MANIFEST}") from cause
    found = manifest.get("schema") if isinstance(manifest, dict) else None
    if found != SCHEMA:
        raise _damaged(path, f"its schema is {found}, this version reads {SCHEMA}")
    checked: dict[str, Any] = manifest
    return checked


def _array(
    path: Path, name: str, dtype: str, shape: list[int], sha256: str, *, verify: bool
) -> NDArray[np.generic]:
    file = path / f"{name}.npy"
    try:
        array = _open(file, is_empty=0 in shape)
    except (OSError, ValueError, EOFError, TypeError) as cause:
        raise _damaged(path, f"{file.name} is missing or damaged") from cause
    if (
        (array.dtype.str, array.ndim) != ARRAYS[name]
        or array.dtype.str != dtype
        or list(array.shape) != shape
    ):
        raise _damaged(path, f"{file.name} does not fit the manifest")
    if verify and sha256_file(file) != sha256:
        raise _damaged(path, f"{file.name} has another sha256 than the manifest says")
    return array


def _open(file: Path, *, is_empty: bool) -> NDArray[np.generic]:
    """Map one ``.npy`` file; unlike `numpy.load` this takes no archive and no pickle."""
    if not is_empty:
        return np.lib.format.open_memmap(file, mode="r")
    with file.open("rb") as stream:  # nothing of no bytes can be mapped
        array: NDArray[np.generic] = np.lib.format.read_array(stream, allow_pickle=False)
    return array
