"""Scales of CRSs, against their definitions."""

from __future__ import annotations

import math

import numpy as np
import pyproj
import pytest

from citygeo.errors import CitygeoError
from citygeo.io.ground import Ground

LOCAL = 'LOCAL_CS["site",LOCAL_DATUM["site",0],UNIT["metre",1],AXIS["E",EAST],AXIS["N",NORTH]]'
# WGS 84
SEMI_MAJOR_M, ECCENTRICITY2 = 6378137.0, 0.0066943799901413165


def radii(latitude: float) -> tuple[float, float]:
    """Metres of a radian of longitude and of latitude."""
    w2 = 1 - ECCENTRICITY2 * math.sin(math.radians(latitude)) ** 2
    east = SEMI_MAJOR_M / math.sqrt(w2) * math.cos(math.radians(latitude))
    return east, SEMI_MAJOR_M * (1 - ECCENTRICITY2) / w2**1.5


@pytest.mark.parametrize("latitude", [-60.0, 0.0, 39.9])
def test_degrees(latitude: float) -> None:
    ground = Ground(pyproj.CRS(4490), "roads")
    expected = np.radians(1.0) * np.array(radii(latitude))
    # over 1e-3 degrees to the north the radius changes a little
    assert ground.metres_per_unit(np.array([[116.4, latitude]]))[0] == pytest.approx(expected, rel=1e-6)
    assert ground.near == pytest.approx(1e-8)


def test_web_mercator_shrinks_with_latitude() -> None:
    ground = Ground(pyproj.CRS(3857), "roads")
    north = SEMI_MAJOR_M * math.asinh(math.tan(math.radians(39.9)))
    east, along = radii(39.9)
    per_radian = SEMI_MAJOR_M, SEMI_MAJOR_M / math.cos(math.radians(39.9))
    expected = [east / per_radian[0], along / per_radian[1]]
    assert ground.metres_per_unit(np.array([[0.0, north]]))[0] == pytest.approx(expected, rel=2e-5)


def test_utm_on_its_middle_meridian_and_feet() -> None:
    ground = Ground(pyproj.CRS(32650), "roads")
    assert ground.metres_per_unit(np.array([[500_000.0, 0.0]]))[0] == pytest.approx(1 / 0.9996, rel=1e-8)
    assert ground.near == 0.001
    assert Ground(pyproj.CRS(2263), "roads").near == pytest.approx(0.001 / 0.3048006096)


def test_compound_crs_is_taken_by_its_plane() -> None:
    assert Ground(pyproj.CRS("EPSG:4326+5773"), "roads").near == pytest.approx(1e-8)
    assert Ground(pyproj.CRS("EPSG:32650+5773"), "roads").near == 0.001


def test_chinese_grid_with_swapped_axes_is_taken_as_east_and_north() -> None:
    ground = Ground(pyproj.CRS(4547), "roads")
    longitude, latitude = ground.lonlat(np.array([[500_000.0, 2_500_000.0]]))[0]
    # on its middle meridian Gauss-Krueger is true to scale from the equator on
    assert longitude == pytest.approx(114.0)
    assert pyproj.Geod(ellps="WGS84").inv(114.0, 0.0, 114.0, latitude)[2] == pytest.approx(
        2_500_000.0, abs=0.01
    )


def test_crs_without_a_place_on_earth_is_refused() -> None:
    with pytest.raises(CitygeoError) as caught:
        Ground(pyproj.CRS(LOCAL), "plan")
    assert caught.value.code == "CG-LINE-001"
    assert "plan" in str(caught.value)
