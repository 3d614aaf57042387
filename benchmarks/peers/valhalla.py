"""Valhalla: its own tiles from the map itself, with speeds and turn costs of its own: no equality is claimed."""

from __future__ import annotations

import json
import subprocess
import tempfile
import time
from itertools import chain
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import valhalla

STEPS = {}


def build(graph, side):
    """Tiles for all modes of travel; its tools can't make cars alone."""
    folder = Path(tempfile.mkdtemp())
    tiles, extract, config_file = folder / "tiles", folder / "tiles.tar", folder / "config.json"
    tiles.mkdir()
    extract.touch()  # it wants the name of an existing file
    config = valhalla.get_config(tile_extract=str(extract), tile_dir=str(tiles), verbose=False)
    config["mjolnir"] |= {"concurrency": side.threads, "tile_extract": ""}
    config_file.write_text(json.dumps(config), encoding="utf-8")
    tool = Path(valhalla.__file__).parent / "bin" / "valhalla_build_tiles"
    map_file = graph.map_file
    begin = time.perf_counter()
    subprocess.run([tool, "-c", config_file, map_file], check=True, capture_output=True)
    STEPS["tiles"] = time.perf_counter() - begin
    return valhalla.Actor(str(config_file))


def isochrones(actor, sources, minutes, costing="auto"):
    """One request per place, polygons of all bands as text of GeoJSON."""
    return [
        actor.isochrone(
            json.dumps(
                {
                    "locations": [{"lon": longitude, "lat": latitude}],
                    "costing": costing,
                    "contours": [{"time": bound} for bound in minutes],
                    "polygons": True,
                }
            )
        )
        for longitude, latitude in np.asarray(sources).tolist()
    ]


def isochrones_answer(_actor, made, **_given):
    """How many vertices each place's polygons have; nothing to compare: they are those of other speeds."""
    return (np.array([sum(map(vertices, json.loads(text)["features"])) for text in made]),)


def vertices(feature):
    """Corners of a polygon or several."""
    shape = feature["geometry"]
    rings = shape["coordinates"] if shape["type"] == "Polygon" else chain(*shape["coordinates"])
    return sum(map(len, rings))


def answer(map_file, spec_file, out_file):
    """
    For a program under another Python: build, answer, and write down what was said and how long each took.

    The specification has ``places``, ``minutes`` and ``costing``.
    """
    spec = json.loads(Path(spec_file).read_text(encoding="utf-8"))
    actor = build(SimpleNamespace(map_file=map_file), SimpleNamespace(threads=2))
    told = []
    isochrones(actor, spec["places"][:1], spec["minutes"], spec["costing"])  # the first one reads files
    for place in spec["places"]:
        wall, cpu = time.perf_counter(), time.process_time()
        (text,) = isochrones(actor, [place], spec["minutes"], spec["costing"])
        seconds = time.perf_counter() - wall, time.process_time() - cpu
        told.append({"answer": json.loads(text), "seconds": seconds})
    Path(out_file).write_text(json.dumps({"build_s": STEPS["tiles"], "told": told}), encoding="utf-8")
