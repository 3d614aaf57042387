"""A coverage result of a made-up town, by hand: what the command line prints can be checked to the digit."""

from __future__ import annotations

from types import SimpleNamespace
from typing import TYPE_CHECKING, Any

import geopandas as gpd
import numpy as np
import pandas as pd
from shapely.geometry import Point, box

from citygeo.issues import Issue, IssueLog

if TYPE_CHECKING:
    from pathlib import Path

INF, NAN = np.inf, np.nan


def stations() -> gpd.GeoDataFrame:
    return gpd.GeoDataFrame(
        {"name": ["Central 中央站", "Harbour"]},
        geometry=[Point(0, 0), Point(1, 1)],
        crs=4326,
        index=["a", "b"],
    )


def fake_coverage(**changes: Any) -> Any:
    """Return an object with the parts of a Coverage that the command line reads, and files to save."""
    mode = SimpleNamespace(name="fire_engine", label_en="Fire engine", label_zh="消防车")
    snaps = pd.DataFrame({"status": ["ok", "not_snapped"], "delay_s": [60.0, 60.0]}, index=["a", "b"])
    area = SimpleNamespace(
        network=SimpleNamespace(mode=mode), snaps=snaps, facilities=stations(), direction="from"
    )
    table = pd.DataFrame(
        {
            "unit": ["km2", "people", "buildings"],
            "covered": [12.34, 8530.0, 41.0],
            "total": [100.0, 10000.0, 50.0],
            "share": [0.1234, 0.853, 0.82],
        },
        index=pd.Index(["area", "population", "buildings"], name="measure"),
    )
    zones = gpd.GeoDataFrame(
        {
            "level": ["municipality", "municipality", "district"],
            "zone": ["1", "2", "3"],
            "name": ["Small", "南山区 Nanshan", "East"],
            "population": [1000.0, 9000.0, 0.0],
            "population_covered": [900.0, 7630.0, 0.0],
            "population_share": [0.9, 7630 / 9000, NAN],
        },
        geometry=[box(0, 0, 1, 1)] * 3,
        crs=4326,
    )
    spots = gpd.GeoDataFrame(
        {
            "uncovered": [900.0, 500.0, 70.0],
            "cells": [3, 2, 1],
            "area_km2": [0.3, 0.2, 0.1],
            "nearest_facility": ["a", "a", None],
            "time_s": [372.4, 301.0, INF],
            "minutes_over": [1.2, 0.02, INF],
            "reason": ["too_far", "not_connected", "no_road"],
            "zone": ["南山区 Nanshan", "Small", None],
        },
        geometry=[box(0, 0, 1, 1)] * 3,
        crs=4326,
        index=pd.Index([1, 2, 3], name="rank"),
    )
    depth = pd.DataFrame({"population": [1470.0, 8530.0]}, index=pd.Index([0, 1], name="depth"))
    log = IssueLog(
        [Issue("CG-NET-013", "warning", 1, ("b",), "1 of 2 facilities lie farther\nthan 200 m: b.")]
    )
    parts = {
        "area": area,
        "minutes": 5.0,
        "table": table,
        "zones": zones,
        "blind_spots": spots,
        "depth": depth,
        "log": log,
        "provenance": {"attribution": "© OpenStreetMap contributors, ODbL 1.0"},
        "demand_is_estimate": True,
        "save": save,
    }
    return FakeCoverage(**(parts | changes))


class FakeCoverage(SimpleNamespace):
    """What stands in for a Coverage."""

    log: IssueLog

    @property
    def issues(self) -> pd.DataFrame:
        return self.log.table()


def save(folder: Path) -> dict[str, Path]:
    """Write two small files where a Coverage would write its own."""
    files = {"zones": folder / "zones.csv", "coverage": folder / "coverage.gpkg"}
    for path in files.values():
        path.write_text("x", encoding="utf-8")
    return files


def fake_explore(_: object, *, title: tuple[str, str] | None = None) -> Any:
    """Return an object that saves a map."""
    return SimpleNamespace(save_html=lambda path: path.write_text(f"<html>{title}</html>", encoding="utf-8"))
