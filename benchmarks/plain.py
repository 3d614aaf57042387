"""The one graph that every side of a comparison gets: whole milliseconds on directed arcs, as plain arrays."""

from __future__ import annotations

import json
from pathlib import Path
from typing import NamedTuple

import numpy as np

UNREACHED = np.uint32(0xFFFFFFFF)
SAMPLE = Path(__file__).parents[1] / "data_samples" / "reykjavik" / "reykjavik.osm.pbf"


class Plain(NamedTuple):
    """
    A graph without parallel arcs and loops, as it lies in a folder of the cache.

    Attributes
    ----------
    folder
        Where it lies; citygeo's own network, if there is one, is `network` inside.
    tail, head, ms
        Arcs in the order of tail and head, `(m,)` int64.
    lonlat
        Places of nodes, `(n, 2)`.
    """

    folder: Path
    tail: np.ndarray
    head: np.ndarray
    ms: np.ndarray
    lonlat: np.ndarray

    @property
    def n(self):
        """Number of nodes."""
        return len(self.lonlat)

    @property
    def network(self):
        """Folder of the saved `RoadNetwork` with the same nodes and times."""
        return self.folder / "network"

    @property
    def map_file(self):
        """The OSM extract that it was made from."""
        if self.folder.name == "reykjavik":
            return SAMPLE
        return self.folder.parents[1] / "sources" / f"{self.folder.name}.pbf"

    def start(self):
        """Where the arcs of each node begin, `(n + 1,)`."""
        return np.searchsorted(self.tail, np.arange(self.n + 1))

    def changed(self, seed):
        """The times of arcs under another state of traffic: each between 1 and 2 times as long."""
        return np.rint(self.ms * np.random.default_rng(seed).uniform(1, 2, self.ms.size)).astype(np.int64)


def reduced(tail, head, ms):
    """Arcs without loops, and of parallel ones the quickest only, in the order of tail and head."""
    order = np.lexsort((ms, head, tail))
    tail, head, ms = (np.asarray(values, np.int64)[order] for values in (tail, head, ms))
    keep = tail != head
    keep[1:] &= (tail[1:] != tail[:-1]) | (head[1:] != head[:-1])
    return tail[keep], head[keep], ms[keep]


def save(folder, tail, head, ms, lonlat, facts):
    """Write a graph and what to say of it."""
    for name, values in (("tail", tail), ("head", head), ("ms", ms), ("lonlat", lonlat)):
        np.save(folder / f"{name}.npy", values)
    (folder / "facts.json").write_text(json.dumps(facts, indent=1), encoding="utf-8")


def load(folder):
    """Read a graph; its arrays are mapped, not copied."""
    arrays = (np.load(folder / f"{name}.npy", mmap_mode="r") for name in ("tail", "head", "ms", "lonlat"))
    return Plain(folder, *(np.asarray(values) for values in arrays))


def facts(folder):
    """What was noted when a graph was built."""
    return json.loads((folder / "facts.json").read_text(encoding="utf-8"))
