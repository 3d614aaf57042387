"""OSRM: contraction hierarchies over turns in C++, from the map itself with its car profile: no equality is claimed."""

from __future__ import annotations

import subprocess
import tempfile
import time
from pathlib import Path

import numpy as np
import osrm

STEPS = {}


def build(graph, side):
    """Extract and contract, each on the threads allowed."""
    package = Path(osrm.__file__).parent
    folder = Path(tempfile.mkdtemp())
    map_file = folder / "map.osm.pbf"
    map_file.symlink_to(graph.map_file)
    for step, arguments in (
        ("extract", ["-p", package / "share" / "profiles" / "car.lua", map_file]),
        ("contract", [folder / "map.osrm"]),
    ):
        begin = time.perf_counter()
        subprocess.run(
            [package / "bin" / f"osrm-{step}", "-t", str(side.threads), *arguments],
            check=True,
            capture_output=True,
        )
        STEPS[step] = time.perf_counter() - begin
    # the engine reads its files here and keeps them in memory
    return osrm.OSRM(
        algorithm="CH",
        storage_config=str(folder / "map.osrm"),
        use_shared_memory=False,
        max_locations_distance_table=-1,
    )


def table_of_places(engine, sources, targets):
    """Snapping to its streets is part of the call."""
    places = np.concatenate((sources, targets))
    parameters = osrm.TableParameters(
        coordinates=[tuple(place) for place in places.tolist()],
        sources=list(range(len(sources))),
        destinations=list(range(len(sources), len(places))),
    )
    return engine.Table(parameters)


def table_of_places_answer(_engine, made, **_given):
    """Seconds; pairs without a way are NaN."""
    return np.array([list(row) for row in made["durations"]], float)
