"""Facilities on a network: one place each, or the entrances of polygons, with their delays and findings."""

from __future__ import annotations

import geopandas as gpd
import numpy as np
import pytest
import shapely

from citygeo.errors import NetworkError
from citygeo.issues import IssueLog
from citygeo.reach.place import place_facilities
from tests import engines
from tests.toy import STREET, edge_between, lonlat, network, points

# a street of 1000 m, and an island 3 km north of it
NET = network({1: (0, 0), 2: (1000, 0), 3: (0, 3000), 4: (500, 3000)}, [((1, 2), STREET), ((3, 4), STREET)])
STREET_EDGE, ISLAND = edge_between(NET, 1, 2), edge_between(NET, 3, 4)


def box(*bounds):
    """A box of toy metres in WGS 84."""
    return shapely.transform(
        shapely.box(*bounds), lambda xy: np.array([lonlat(*place) for place in xy.tolist()])
    )


def place(layer, log=None, **options):
    return place_facilities(
        NET,
        layer,
        **{"delay_s": 0.0, "max_snap_m": 200.0, "log": log if log is not None else IssueLog(), **options},
    )


def test_a_park_begins_at_all_its_gates_with_its_delay():
    """The street runs through from 300 to 700 m: two gates; the point 100 m off is charged 100 s of walking."""
    layer = gpd.GeoDataFrame(
        {"wait": [30.0, 5.0]}, geometry=[box(300, -50, 700, 50), *points([(100, 100)]).geometry], crs=4326
    )
    placed = place(layer, delay_s="wait", polygons="entrances")
    places = placed.places
    assert places.row.tolist() == [0, 0, 1]
    assert places.n_rows == 2
    assert places.edge.tolist() == [STREET_EDGE] * 3
    assert places.share.tolist() == pytest.approx([0.3, 0.7, 0.1], abs=1e-6)
    assert places.ms.tolist() == pytest.approx([30_000, 30_000, 5_000 + 99_960], abs=2)
    assert placed.snaps.share.tolist() == pytest.approx([0.3, 0.1], abs=1e-6)
    assert placed.snaps.status.tolist() == ["ok", "ok"]


def test_a_park_is_reached_at_its_nearest_gate():
    """From the park to both ends of the street: 300 m each, though its middle is 500 m from them."""
    layer = gpd.GeoDataFrame(geometry=[box(300, -50, 700, 50)], crs=4326)
    ends = place(points([(0, 0), (1000, 0)])).places
    for polygons, expected in (
        ("point", [50_000, 50_000]),
        ("entrances", [30_000, 30_000]),
        ("edges", [30_000, 30_000]),
    ):
        assert times_between(place(layer, polygons=polygons).places, ends) == pytest.approx(expected, abs=2)


def times_between(places, goals):
    """Milliseconds from the first row to each goal."""
    return engines.times(NET, "from", places, goals, 1_000_000)[0].tolist()


def test_rows_off_the_network_have_no_place_and_are_told():
    layer = points([(500, 100), (500, 900), (0, 0)], index=[1, 2, 3]).set_index("index")
    layer.loc[3, "geometry"] = None
    log = IssueLog()
    placed = place(layer, log)
    assert placed.places.row.tolist() == [0]
    assert placed.places.n_rows == 3
    assert placed.snaps.status.tolist() == ["ok", "not_snapped", "no_geometry"]
    assert [(issue.code, issue.count, issue.sample) for issue in log.found] == [
        ("CG-NET-013", 1, ("2",)), ("CG-GEO-002", 1, ("3",)),
    ]  # fmt: skip


def test_a_row_is_apart_if_all_its_places_are():
    """A long park meets the street and the island; a house is on the island only."""
    layer = gpd.GeoDataFrame(geometry=[box(200, -50, 300, 3050), *points([(100, 3010)]).geometry], crs=4326)
    log = IssueLog()
    placed = place(layer, log, polygons="entrances")
    assert placed.places.edge.tolist() == [STREET_EDGE, STREET_EDGE, ISLAND, ISLAND, ISLAND]
    assert [(issue.code, issue.sample) for issue in log.found] == [("CG-NET-011", ("1",))]


@pytest.mark.parametrize("polygons", ["point", "entrances", "edges"])
def test_no_facility_near_the_network_is_an_error(polygons):
    layer = gpd.GeoDataFrame(geometry=[box(0, 9_000, 10, 9_010)], crs=4326)
    with pytest.raises(NetworkError) as caught:
        place(layer, polygons=polygons)
    assert caught.value.code == "CG-NET-010"


def test_repairs_are_told():
    bow = gpd.GeoSeries(points([(300, -50), (400, -50), (300, 50), (400, 50)]).geometry)
    layer = gpd.GeoDataFrame(
        geometry=[shapely.Polygon(shapely.get_coordinates(bow))], index=["bow"], crs=4326
    )
    log = IssueLog()
    place(layer, log, polygons="entrances", name="parks")
    assert [(issue.code, issue.sample) for issue in log.found] == [("CG-GEO-006", ("bow",))]
    assert "rows of parks" in log.found[0].message
