"""
Nobody is lost or invented on real data; the sums are printed with ``pytest -s``.

The Burundi raster lies in a source package of others, see `.ci/run`; without it, that test is skipped.
"""

from __future__ import annotations

import os
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import pytest

import citygeo as cg
from citygeo.demand import to_micro
from citygeo.issues import IssueLog

if TYPE_CHECKING:
    import geopandas as gpd

PACKAGES = Path(os.environ.get("CITYGEO_PACKAGE_DATA", "no packages"))
BURUNDI = PACKAGES / "gridfinder-3.1.2" / "tests" / "data" / "pop.tif"
PEOPLE_2019 = 128_793 + 36_975 + 29_799 + 16_299 + 11_463 + 4_664 + 238


def say(text: str) -> None:
    sys.stdout.write(text + "\n")


def told(step: str, cells: gpd.GeoDataFrame, column: str = "population") -> int:
    """Print and return the sum in millionths."""
    total = int(to_micro(cells[column]).sum())
    say(f"{step:<52}{len(cells):>8,} rows  {total // 10**6:>12,}.{total % 10**6:06d} people")
    return total


def test_reykjavik() -> None:
    city, log = cg.datasets.reykjavik(), IssueLog()
    zones, homes = city.municipalities, city.people
    everyone = PEOPLE_2019 * 10**6
    say("")
    assert told("municipalities", zones) == everyone
    assert told("homes (spread_population)", homes) == everyone
    cells = cg.population(homes, resolution=10)
    assert told("homes -> cells of resolution 10", cells) == everyone
    for resolution in (9, 8, 7, 5):
        cells = cg.population(cells, resolution=resolution)
        assert told(f"cells -> parents of resolution {resolution}", cells) == everyone
    even = cg.population(zones, resolution=9, issues=log)
    by_homes = cg.population(zones, resolution=9, by=city.buildings, issues=log)
    assert told("municipalities -> cells, areal interpolation", even) == everyone
    assert told("municipalities -> cells, dasymetric by homes", by_homes) == everyone
    assert (
        told("areal -> children of resolution 10", cg.population(even, resolution=10, issues=log)) == everyone
    )
    assert told("homes as areas -> cells", cg.population(homes.iloc[:2000], polygons="area", issues=log)) == (
        to_micro(homes["population"].iloc[:2000]).sum()
    )
    # where people live is known far better from the homes: almost nobody where no home is, and twice as many
    # cells in areal interpolation hold anybody
    known = set(cg.population(homes, resolution=9).index)
    assert by_homes["population"][by_homes.index.isin(known)].sum() / PEOPLE_2019 > 0.999
    assert even["population"][even.index.isin(known)].sum() / PEOPLE_2019 < 0.7
    assert len(even) > 2 * len(by_homes)


def test_every_municipality_keeps_its_people() -> None:
    city = cg.datasets.reykjavik()
    zones = city.municipalities
    for label in zones.index:
        for by in (None, city.buildings):
            alone = cg.population(zones.loc[[label]], by=by, issues=IssueLog())
            assert to_micro(alone["population"]).sum() == zones.loc[label, "population"] * 10**6


def test_burundi() -> None:
    if not BURUNDI.is_file():
        pytest.skip("CITYGEO_PACKAGE_DATA names no folder with the unpacked packages")
    rasterio = pytest.importorskip("rasterio")
    with rasterio.open(BURUNDI) as raster:
        pixels = raster.read(1).astype(np.float64)
        is_data = np.isfinite(pixels) & (pixels >= 0) & (raster.read_masks(1) > 0)
    people = pixels[is_data].sum()
    say(f"\nBurundi, pixels: {people:,.6f} people")
    for resolution in (5, 7, 8):
        cells = cg.population(BURUNDI, resolution=resolution, issues=IssueLog())
        total = float(cells["population"].sum())
        say(
            f"Burundi, {len(cells):,} cells of resolution {resolution}: {total:,.6f} people; {cells.attrs['method']}"
        )
        assert total == pytest.approx(people, rel=1e-12)
    coarse = cg.population(cells, resolution=5, issues=IssueLog())
    # tables of cells count in millionths, each cell of the raster rounds by half of one at most
    assert float(coarse["population"].sum()) == pytest.approx(people, abs=len(cells) * 5e-7)
