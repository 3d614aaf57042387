"""Coordinate systems and the points that stand for rows."""

from __future__ import annotations

import geopandas as gpd
import numpy as np
import pytest
import shapely
from hypothesis import given
from hypothesis import strategies as st

from citygeo import datum
from citygeo.errors import CRSError, GeometryError

SQUARE = shapely.box(0, 0, 2, 2)
# a ring whose centroid lies in its hole
RING = shapely.Polygon([(0, 0), (9, 0), (9, 9), (0, 9)], [[(1, 1), (8, 1), (8, 8), (1, 8)]])


def test_crs_is_required_and_the_extent_told():
    layer = gpd.GeoDataFrame(geometry=[shapely.Point(116.39, 39.9), shapely.Point(117, 40)])
    with pytest.raises(CRSError) as caught:
        datum.require_crs(layer, "stations")
    assert caught.value.code == "CG-CRS-001"
    assert caught.value.data == {
        "layer": "stations",
        "xmin": "116.39",
        "ymin": "39.9",
        "xmax": "117",
        "ymax": "40",
    }
    datum.require_crs(layer.set_crs(4326), "stations")
    with pytest.raises(CRSError):
        datum.require_crs(gpd.GeoSeries([], dtype="geometry"), "stations")


@pytest.mark.parametrize(
    ("bounds", "epsg"),
    [
        ((118.0, 24.4, 118.2, 24.6), 32650),
        ((-22.1, 63.9, -21.2, 64.4), 32627),
        ((3.0, -0.5, 3.0, 0.5), 32631),
        ((2.9, -33.0, 3.1, -32.0), 32731),
        ((-180.0, 10, -179.9, 11), 32601),
        ((179.9, 10, 180.0, 11), 32660),
        ((180.0, 10, 180.0, 11), 32601),
        ((5.999, 50, 5.999, 51), 32631),
        ((6.0, 50, 6.0, 51), 32632),
    ],
)
def test_working_crs_is_the_zone_of_the_middle(bounds, epsg):
    assert datum.working_crs(bounds).to_epsg() == epsg


def test_working_crs_beyond_the_last_zone_measures_there():
    crs = datum.working_crs((10.0, 85.0, 12.0, 86.0))
    place = gpd.GeoSeries([shapely.Point(11, 85.5), shapely.Point(11.1, 85.5)], crs=4326).to_crs(crs)
    # 0.1 degrees on a parallel of radius 6,399,500 m x cos 85.5 degrees
    assert place.distance(place.iloc[0]).iloc[1] == pytest.approx(876.3, abs=0.1)


@given(st.floats(-180, 180), st.floats(-83, 83))
def test_working_crs_is_metric_near_the_middle(lon, lat):
    crs = datum.working_crs((lon, lat, lon, lat))
    assert crs.axis_info[0].unit_name == "metre"
    assert abs((lon - (6 * (int(str(crs.to_epsg())[-2:]) - 1) - 177) + 180) % 360 - 180) <= 3.0001


@pytest.mark.parametrize("bounds", [(np.nan,) * 4, (0, 0, np.inf, 1)])
def test_no_extent_no_crs(bounds):
    with pytest.raises(GeometryError) as caught:
        datum.working_crs(bounds, "zones")
    assert (caught.value.code, caught.value.data["layer"]) == ("CG-GEO-001", "zones")


def test_points_stand_for_every_kind_of_row():
    several = [
        shapely.Point(1, 2),
        shapely.Point(1, 2, 3),
        SQUARE,
        RING,
        shapely.LineString([(0, 0), (4, 0)]),
        shapely.MultiPoint([(0, 0), (3, 3)]),
        shapely.MultiPolygon([SQUARE, shapely.box(9, 9, 10, 10)]),
        shapely.GeometryCollection([SQUARE, shapely.Point(5, 5)]),
        None,
        shapely.Point(),
        shapely.Polygon(),
        shapely.GeometryCollection(),
    ]
    layer = gpd.GeoDataFrame(geometry=gpd.GeoSeries(several, crs=4326))
    points = datum.representative_points(layer)
    assert points.dtype == object
    assert [point is None for point in points] == [False] * 8 + [True] * 4
    assert points[0].coords[:] == points[1].coords[:] == [(1.0, 2.0)]
    for point, geometry in zip(points[:8], several[:8], strict=True):
        assert point.geom_type == "Point"
        assert shapely.force_2d(geometry).distance(point) < 1e-9  # there and back through a metric CRS
    assert datum.representative_points(layer.geometry).tolist() == points.tolist()
    assert layer.geometry.iloc[1].has_z, "the caller's layer was changed"


def test_empty_layer_has_no_points():
    assert datum.representative_points(gpd.GeoDataFrame(geometry=[], crs=4326)).shape == (0,)
