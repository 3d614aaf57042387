"""
Coverage of the sample city with all denominators and three levels of zones: time, memory, and sums that add up.

    python -m benchmarks.coverage               # Reykjavik, 4 fire stations, 5 minutes
    python -m benchmarks.coverage --runs 10 --minutes 8

The network is loaded before the clock starts. Conservation is printed for every measure and level: what lies in zones,
what lies in none, and the city; whole numbers must agree to the last unit, land to rounding.
"""

from __future__ import annotations

import argparse
import statistics
import time
import warnings

import numpy as np
import shapely

import citygeo as cg
from benchmarks import memory
from benchmarks.machine import describe
from citygeo.coverage.measures import PointMeasure
from citygeo.errors import CitygeoWarning

GOAL_S = 1.5
RADIUS_M = 2500  # of the circles beside the network, about five minutes at 30 km/h
PARTS = ("total", "covered", "radius")
SAME_LAND = 1e-9  # land cut in pieces adds up but for rounding


def question(city, minutes):
    """All that the sample city can be asked at once."""
    services = city.services
    parks = services["park"]
    return {
        "demand": city.people,
        "minutes": minutes,
        "zones": city.zones,
        "buildings": city.buildings,
        "areas": {"parks": parks[parks.geom_type.isin(["Polygon", "MultiPolygon"])]},
        "points": {
            "schools": services["school"],
            "kindergartens": services["kindergarten"],
            "stops": services["bus_stop"],
        },
        "radius_m": RADIUS_M,
    }


def outside(measure, part, level):
    """What of a measure lies in no zone of a level, counted by itself."""
    if not isinstance(measure, PointMeasure):
        ground = {"total": measure.total, "covered": measure.covered, "radius": measure.radius}[part]
        zones = shapely.union_all(level.shapes[~level.is_void])
        left = shapely.difference(shapely.union_all(ground), zones)
        return float(shapely.area(left) / 1e6)
    chosen = {
        "total": True,
        "covered": measure.points.served.is_covered,
        "radius": measure.points.at.in_circle,
    }
    return float(
        measure.weight[chosen[part] & (measure.points.at.zone[level.name] < 0)].sum() / measure.quantum
    )


def conservation(result):
    """Yield (level, measure, unit, part, in zones, in none, city, whether they agree)."""
    for name, level in result.setting.levels.items():
        rows = result.zones[result.zones["level"] == name]
        for measure in result.measures:
            for part in PARTS:
                inside, whole = float(rows[measure.columns[part]].sum()), measure.whole(part)
                gap = outside(measure, part, level)
                is_whole = isinstance(measure, PointMeasure)
                slack = 0.5 / measure.quantum if is_whole else SAME_LAND * max(whole, 1.0)
                yield (
                    name,
                    measure.name,
                    measure.unit,
                    part,
                    inside,
                    gap,
                    whole,
                    abs(inside + gap - whole) <= slack,
                )


def main():
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[1])
    parser.add_argument("--minutes", type=float, default=5.0)
    parser.add_argument("--runs", type=int, default=5)
    parser.add_argument("--threads", type=int)
    args = parser.parse_args()
    warnings.simplefilter("ignore", CitygeoWarning)
    told = describe()
    print(f"{told['cpu']}, {told['cores']} cores, {told['memory_gb']} GB, Python {told['python']}")
    city = cg.datasets.reykjavik()
    network, stations = city.network("fire_engine"), city.stations
    asked = question(city, args.minutes) | {"threads": args.threads}
    began = time.perf_counter()
    result = cg.coverage(network, stations, **asked)
    print(f"first call {time.perf_counter() - began:.2f} s")
    memory.forget_peak()
    before, others = memory.now_mb(), memory.Others()
    wall, cpu = [], []
    for _ in range(args.runs):
        began, spent = time.perf_counter(), time.process_time()
        result = cg.coverage(network, stations, **asked)
        wall.append(time.perf_counter() - began)
        cpu.append(time.process_time() - spent)
    verdict = "goal reached" if statistics.median(wall) < GOAL_S else "goal missed"
    print(
        f"warm: median {statistics.median(wall):.2f} s, best {min(wall):.2f} s, processor {np.median(cpu):.2f} s, "
        f"peak {memory.peak_mb() - before:.0f} MB above {before:.0f} MB; goal {GOAL_S} s: {verdict}; "
        f"other programs used {others.cores():.1f} cores"
    )
    levels = {name: len(level.layer) for name, level in result.setting.levels.items()}
    print(
        f"{len(stations)} stations, {len(result.table)} measures, zones {levels}, {len(result.cells):,} cells"
    )
    print(result.table.round(4).to_string())
    print(f"\n{'level':14}{'measure':15}{'part':9}{'in zones':>18}{'in none':>18}{'city':>18}")
    bad = 0
    for level, name, unit, part, inside, gap, whole, agree in conservation(result):
        bad += not agree
        mark = "" if agree else "  DIFFERS"
        print(f"{level:14}{name:15}{part:9}{inside:18,.6f}{gap:18,.6f}{whole:18,.6f} {unit}{mark}")
    print("zones + gaps = city for each measure" if not bad else f"{bad} sums differ")
    return int(bad > 0)


if __name__ == "__main__":
    raise SystemExit(main())
