"""Valhalla: its own tiles from the map itself, with speeds and turn costs of its own: no equality is claimed."""

from __future__ import annotations

import json
import subprocess
import tempfile
import time
from pathlib import Path

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


def isochrones(actor, lonlat, minutes):
    """One request per place, polygons as text of GeoJSON."""
    return [
        actor.isochrone(
            json.dumps(
                {
                    "locations": [{"lon": longitude, "lat": latitude}],
                    "costing": "auto",
                    "contours": [{"time": minutes}],
                    "polygons": True,
                }
            )
        )
        for longitude, latitude in lonlat.tolist()
    ]


def isochrones_answer(_actor, made, **_given):
    """Nothing to compare: its areas are those of other speeds, drawn through a grid of cells."""
    return (None,) if made else None
