"""Areas over the antimeridian, written in several ways: all mean the same land."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import geopandas as gpd
import h3
import numpy as np
import pytest
import shapely

import citygeo as cg
from citygeo.demand import to_micro
from citygeo.errors import CitygeoError
from citygeo.issues import IssueLog

if TYPE_CHECKING:
    import pandas as pd

pytestmark = pytest.mark.filterwarnings("ignore::citygeo.errors.CitygeoWarning")
# an equal-area map whose edges are far from the antimeridian
ELSEWHERE = "+proj=cea +lat_ts=30 +lon_0=180 +datum=WGS84"


def ring(west: float, east: float, south: float = -17.0, north: float = -16.5) -> shapely.Polygon:
    return shapely.Polygon([(west, south), (east, south), (east, north), (west, north)])


def layer(shape: shapely.Geometry, **columns: Any) -> gpd.GeoDataFrame:
    return gpd.GeoDataFrame({"population": [1000], **columns}, geometry=[shape], crs=4326)


CUT = layer(shapely.MultiPolygon([ring(179.8, 180), ring(-180, -179.8)]))
SPELLINGS = {
    "past 180": layer(ring(179.8, 180.2)),
    "past -180": layer(ring(-180.2, -179.8)),
    "edge over half a turn": layer(ring(179.8, -179.8)),
    "in a CRS of the Pacific": layer(ring(179.8, 180.2)).to_crs(3832),
}


def expected_shares(cells: pd.Index) -> list[float]:
    """What each cell has of the zone, where the antimeridian is a meridian like any other."""
    zone = gpd.GeoSeries([ring(179.8, 180.2)], crs=4326).to_crs(ELSEWHERE)[0]
    corners = [[(lon % 360, lat) for lat, lon in h3.cell_to_boundary(cell)] for cell in cells]
    outlines = gpd.GeoSeries([shapely.Polygon(one) for one in corners], crs=4326).to_crs(ELSEWHERE)
    return list(shapely.area(shapely.intersection(outlines.to_numpy(), zone)) / zone.area)


@pytest.mark.parametrize("source", [CUT, *SPELLINGS.values()], ids=["cut", *SPELLINGS])
def test_a_zone_is_spread_as_anywhere_else(source: gpd.GeoDataFrame) -> None:
    cells = cg.population(source, resolution=6, polygons="area")
    assert to_micro(cells["population"]).sum() == 10**9
    shares = expected_shares(cells.index)
    assert sum(shares) == pytest.approx(1, abs=1e-9)
    assert cells["population"].to_numpy() == pytest.approx(1000 * np.array(shares), abs=1e-4)


@pytest.mark.parametrize("spelling", SPELLINGS)
@pytest.mark.parametrize("polygons", ["auto", "point", "area"])
def test_all_spellings_give_one_table(spelling: str, polygons: str) -> None:
    expected = cg.population(CUT, resolution=6, polygons=polygons)
    cells = cg.population(SPELLINGS[spelling], resolution=6, polygons=polygons)
    assert cells["population"].to_dict() == pytest.approx(expected["population"].to_dict(), abs=1e-4)
    # fine cells too: their number is not counted from the wrong side of the Earth
    assert len(cg.population(SPELLINGS[spelling], resolution=8, polygons=polygons)) >= 1


@pytest.mark.parametrize("spelling", SPELLINGS)
def test_all_spellings_of_land_and_area_mean_the_same(spelling: str) -> None:
    zone = layer(ring(179.5, -179.5, -17.2, -16.3))
    for how in ("by", "area"):
        expected = cg.population(zone, resolution=6, polygons="area", **{how: CUT})
        cells = cg.population(zone, resolution=6, polygons="area", **{how: SPELLINGS[spelling]})
        assert cells["population"].to_dict() == pytest.approx(expected["population"].to_dict(), abs=1e-4)
        assert len(cells) > 20


@pytest.mark.parametrize("spelling", SPELLINGS)
def test_points_in_an_area_count_however_they_are_written(spelling: str) -> None:
    lon = np.array([179.7, 179.9, 180.1, -179.9, -180.1, -179.7])
    people = [1, 2, 4, 8, 16, 32]
    points = gpd.GeoDataFrame({"population": people}, geometry=gpd.points_from_xy(lon, [-16.7] * 6), crs=4326)
    cells = cg.population(points, area=SPELLINGS[spelling])
    assert cells["population"].sum() == 2 + 4 + 8 + 16
    zone = SPELLINGS[spelling]
    homes = cg.population(zone, by=points, by_weight="population")
    assert homes["population"].sum() == 1000
    inside = cg.population(points.iloc[1:5])["population"]
    assert homes["population"].to_dict() == pytest.approx((inside / 30 * 1000).to_dict(), abs=1e-5)


def test_a_hole_on_the_antimeridian_stays_one() -> None:
    shell, hole = ring(179.8, -179.8), ring(179.95, -179.95, -16.9, -16.6)
    ringed = shapely.Polygon(shell.exterior, [hole.exterior])
    cut = ring(179.8, 180.2) - ring(179.95, 180.05, -16.9, -16.6)
    one, other = (cg.population(layer(shape), resolution=6)["population"] for shape in (ringed, cut))
    assert one.to_dict() == pytest.approx(other.to_dict(), abs=1e-4)
    middle = gpd.GeoDataFrame({"population": [5]}, geometry=[shapely.Point(180, -16.7)], crs=4326)
    assert cg.population(middle, area=layer(ringed)).empty


def test_rings_that_cross_there_are_mended_and_told() -> None:
    bow = shapely.Polygon([(179.8, -17), (-179.8, -16.5), (-179.8, -17), (179.8, -16.5)])
    log = IssueLog()
    cells = cg.population(layer(bow), resolution=6, issues=log)
    assert [issue.count for issue in log.found if issue.code == "CG-DEM-021"] == [1]
    assert to_micro(cells["population"]).sum() == 10**9


def test_labels_and_columns_stay() -> None:
    source = SPELLINGS["past 180"].assign(old=[100]).set_axis(["zone"]).rename_geometry("shape")
    source.attrs["estimate"] = True
    cells = cg.population(source, resolution=6, polygons="point", carry=["old"])
    assert cells["old"].tolist() == [100]
    assert cells.attrs["estimate"]


def test_an_area_around_the_earth_is_no_area_over_the_antimeridian() -> None:
    band = gpd.GeoSeries([ring(-180, 180, -10, 10)], crs=4326)
    points = gpd.GeoDataFrame({"population": [1, 2]}, geometry=gpd.points_from_xy([0, 100], [0, 0]), crs=4326)
    assert cg.population(points, area=band)["population"].sum() == 3


def test_an_area_around_a_pole_is_refused() -> None:
    cap = shapely.Polygon([(0, 80), (120, 80), (-120, 80)])
    with pytest.raises(CitygeoError, match="CG-HEX-001"):
        cg.population(layer(cap), resolution=2)
