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
from citygeo.modes import TravelMode, mode_from_dict
from citygeo.provenance import sha256_file

if TYPE_CHECKING:
    from pathlib import Path

    from numpy.typing import NDArray

    from citygeo.network import RoadNetwork

SCHEMA = "citygeo.network/1"
MANIFEST = "manifest.json"
ARRAYS = frozenset(
    (
        "node_id", "node_lonlat", "edge_node", "edge_length_m", "edge_along_ms", "edge_against_ms", "edge_is_imputed",
        "edge_way_id", "edge_highway", "edge_name", "shape_start", "shape_lonlat", "word_start", "word_bytes",
        "forward_start", "forward_arc", "forward_edge", "reverse_start", "reverse_arc", "reverse_edge",
    )
)  # fmt: skip
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
        mode = mode_from_dict(manifest["mode"])
        issues = IssueLog([Issue(**{**item, "sample": tuple(item["sample"])}) for item in manifest["issues"]])
        source = {"name": str(manifest["source"]["name"]), "sha256": str(manifest["source"]["sha256"])}
        entries = {
            name: (entry["dtype"], entry["shape"], entry["sha256"])
            for name, entry in manifest["arrays"].items()
        }
    except (KeyError, TypeError, ValueError, AttributeError) as cause:
        raise _damaged(path, f"{MANIFEST} lacks or misspells an entry ({cause})") from cause
    if entries.keys() != ARRAYS:
        names = ", ".join(sorted(entries.keys() ^ ARRAYS))
        raise _damaged(path, f"{MANIFEST} lists other arrays than this version has: {names}")
    return (
        {name: _array(path, name, *entry, verify=verify) for name, entry in entries.items()},
        mode,
        source,
        issues,
    )


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
    if array.dtype.str != dtype or list(array.shape) != shape:
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
