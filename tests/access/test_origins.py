"""Origins as cells, nodes and buildings; opportunities by name; the table laid out wide, drawn, with its question."""

from __future__ import annotations

import math
import pickle

import geopandas as gpd
import numpy as np
import pandas as pd
import pytest
import shapely
from hypothesis import given, settings
from hypothesis import strategies as st

import citygeo as cg
from citygeo import hexgrid
from citygeo.errors import CitygeoError, CitygeoWarning
from tests.toy import STREET, grid_city, network, points

NET = network({i: (600 * i, 0) for i in range(11)}, [(tuple(range(11)), STREET)])
HOMES = points([(0, 0), (3000, 0)], name=["west", "middle"]).set_index("name")
SCHOOLS = points([(0, 0), (1800, 0)], seats=[30, 50], rooms=[3, 5])
CLINICS = points([(600, 0)], beds=[7])
BOTH = {"school": SCHOOLS, "clinic": CLINICS}


def test_layers_by_name_in_one_pass():
    found = cg.accessibility(NET, HOMES, BOTH, minutes=[1, 3])
    assert found.measures == ("school_reached", "clinic_reached")
    assert found.school_reached.tolist() == [1, 2, 0, 1]
    assert found.clinic_reached.tolist() == [1, 1, 0, 0]
    alone = cg.accessibility(NET, HOMES, SCHOOLS, minutes=[1, 3])
    assert found.school_reached.tolist() == alone.opportunities.tolist()


def test_layers_by_name_with_weights_of_their_own():
    found = cg.accessibility(
        NET, HOMES, BOTH, minutes=3, weight={"school": ["seats", "rooms"], "clinic": None}
    )
    assert found.measures == ("school_seats_reached", "school_rooms_reached", "clinic_reached")
    assert found.school_seats_reached.tolist() == [80, 50]
    assert found.school_rooms_reached.tolist() == [8, 5]
    same = cg.accessibility(NET, HOMES, {"a": SCHOOLS, "b": SCHOOLS}, minutes=3, weight="seats")
    assert same.a_seats_reached.tolist() == same.b_seats_reached.tolist() == [80, 50]


@pytest.mark.parametrize(
    ("opportunities", "options", "code"),
    [
        ({}, {}, "CG-IN-004: opportunities"),
        ({3: SCHOOLS}, {}, "CG-IN-004: opportunities"),
        (BOTH, {"weight": {"school": "seats"}}, "CG-IN-004: weight"),
        (BOTH, {"weight": {"school": "seats", "clinic": None, "park": None}}, "CG-IN-004: weight"),
        (BOTH, {"weight": "seats"}, "CG-IN-005: .*opportunities clinic"),
        (SCHOOLS, {"weight": {"school": "seats"}}, "CG-IN-004: weight"),
        (SCHOOLS, {"weight": ["seats", "seats"]}, "CG-IN-004: weight"),
        ({"a": SCHOOLS, "a_b": SCHOOLS}, {"weight": {"a": "b_c", "a_b": "c"}}, "CG-IN-004: origins"),
        ({"school": SCHOOLS, "clinic": 5}, {}, "CG-IN-007: opportunities clinic"),
        (BOTH, {"direction": "back"}, "CG-IN-004: direction"),
        (BOTH, {"delay_s": "wait"}, "CG-IN-005"),
    ],
)
def test_odd_layers_are_refused(opportunities, options, code):
    with pytest.raises(CitygeoError, match=code):
        cg.accessibility(NET, HOMES, opportunities, minutes=3, **options)


def cells_on_the_street():
    """Cells of resolution 10 at three places of the street, as text."""
    where = points([(0, 0), (1200, 0), (3000, 0)]).geometry
    return hexgrid.to_strings(hexgrid.cells_of_points(where.x, where.y, 10))


@pytest.mark.parametrize("form", ["plain", "numbers", "outlines"])
def test_cells_stand_at_their_centres(form):
    names = cells_on_the_street()
    table = pd.DataFrame({"population": [5, 6, 7]}, index=pd.Index(names, name="h3_cell"))
    centres = shapely.points(hexgrid.cell_centres(hexgrid.from_strings(names)))
    at_centres = gpd.GeoDataFrame(geometry=centres, crs=4326)
    if form == "numbers":
        table.index = pd.Index(hexgrid.from_strings(names), name="h3_cell")
    if form == "outlines":
        table = gpd.GeoDataFrame(
            table, geometry=hexgrid.cell_polygons(hexgrid.from_strings(names)), crs=4326
        ).to_crs(32631)
    found = cg.accessibility(NET, table, BOTH, minutes=[1, 3])
    expected = cg.accessibility(NET, at_centres, BOTH, minutes=[1, 3])
    for column in ("school_reached", "clinic_reached", "snap_distance_m"):
        assert found[column].tolist() == expected[column].tolist()
    assert set(found.geom_type) == {"Polygon"}
    assert found.population.tolist() == [5, 5, 6, 6, 7, 7]
    near = cg.nearest(NET, table, SCHOOLS, direction="to", k=2)
    same = cg.nearest(NET, at_centres, SCHOOLS, direction="to", k=2)
    assert near.time_s.tolist() == same.time_s.tolist()
    assert near.facility.tolist() == same.facility.tolist()
    assert set(near.geom_type) == {"Polygon"}


def test_cells_may_be_what_is_reached():
    names = cells_on_the_street()
    table = pd.DataFrame({"jobs": [5, 6, 7]}, index=names)
    found = cg.accessibility(NET, HOMES, table, minutes=1440, weight="jobs")
    assert found.jobs_reached.tolist() == [18, 18]
    near = cg.nearest(NET, HOMES, table, direction="to")
    assert near.facility.tolist() == [names[0], names[2]]
    shared = cg.floating_catchment(
        NET, table.rename(columns={"jobs": "population"}), table, minutes=1440, capacity="jobs"
    )
    assert shared.access.tolist() == pytest.approx([1, 1, 1])


def test_cells_far_from_the_network_are_missing_with_their_status():
    names = [*cells_on_the_street(), "8a1fb46622dffff"]  # the last one in Germany
    table = pd.DataFrame({"population": 1}, index=names)
    with pytest.warns(CitygeoWarning, match="CG-NET-013: 1 of 4 origins lie farther than 200 m"):
        found = cg.accessibility(NET, table, SCHOOLS, minutes=3)
    assert found.status.tolist() == ["ok"] * 3 + ["not_snapped"]
    assert math.isnan(found.opportunities.iloc[-1])
    assert found.opportunities.iloc[:3].notna().all()
    with pytest.raises(CitygeoError, match="CG-NET-010"):
        cg.accessibility(NET, table.iloc[3:], SCHOOLS, minutes=3)


def test_a_table_without_cells_or_geometry_is_refused():
    with pytest.raises(CitygeoError, match="CG-IN-007: origins is a DataFrame"):
        cg.accessibility(NET, pd.DataFrame({"population": [1]}), SCHOOLS, minutes=3)


@pytest.mark.filterwarnings("ignore:CG-NET-011")
def test_every_node_and_every_building_of_the_sample_city():
    city = cg.datasets.reykjavik()
    net = city.network("walk")
    nodes = net.to_gdfs()[0].iloc[::50]
    found = cg.accessibility(net, nodes, city.stations, minutes=[10, 30])
    near = cg.nearest(net, nodes, city.stations, direction="to", k=2)
    by_rank = near.time_s.to_numpy().reshape(-1, 2)
    reached = found.opportunities.to_numpy().reshape(-1, 2)
    for place, bound in enumerate((600, 1800)):
        for k in (1, 2):  # the time to the k-th tells whether k are reached
            assert np.array_equal(reached[:, place] >= k, by_rank[:, k - 1] <= bound)
    assert (found.snap_distance_m < 0.01).all(), "nodes stand on the network"
    buildings = city.buildings.iloc[::100]
    assert len(cg.accessibility(net, buildings, city.stations, minutes=30).pivot()) == len(buildings)


def test_wide_is_the_long_table_side_by_side():
    found = cg.accessibility(NET, HOMES.assign(people=[4, 9]), BOTH, minutes=[1, 3, 2.5])
    wide = found.pivot()
    assert wide.index.tolist() == ["west", "middle"]
    assert [*wide.columns] == [
        "geometry", "people", "status", "snap_distance_m",
        "school_reached_1", "school_reached_2.5", "school_reached_3",
        "clinic_reached_1", "clinic_reached_2.5", "clinic_reached_3",
    ]  # fmt: skip
    for row in found.itertuples():
        assert wide.loc[row.Index, f"school_reached_{row.minutes:g}"] == row.school_reached
    assert type(wide) is gpd.GeoDataFrame
    assert wide.crs == HOMES.crs
    some = found[(found.minutes > 1) & (found.index == "west")].pivot()
    assert "school_reached_1" not in some
    assert len(some) == 1
    by_hand = found.reset_index().pivot(index="name", columns="minutes", values="school_reached")
    assert by_hand.loc["west"].tolist() == [1, 1, 2]


def test_the_geometry_column_keeps_its_name():
    homes = HOMES.rename_geometry("shape")
    found = cg.accessibility(NET, homes, SCHOOLS, minutes=[1, 3])
    assert found.active_geometry_name == "shape"
    assert found.crs == homes.crs
    assert found.pivot().active_geometry_name == "shape"


def test_the_question_goes_along():
    found = cg.accessibility(NET, HOMES, BOTH, minutes=[1, 3], decay=cg.decay.linear(3), direction="from")
    again = pickle.loads(pickle.dumps(found))
    assert again.equals(found)
    made_by = again.provenance
    assert made_by["action"] == "accessibility"
    assert made_by["parameters"]["decay"] == "decay.linear(end=3.0)"
    assert made_by["parameters"]["direction"] == "from"
    assert {"origins", "opportunities school", "opportunities clinic"} < set(made_by["inputs"])
    assert found.issues.empty
    assert repr(found).startswith("accessibility: school_reached, clinic_reached within 1, 3 min, from ")
    assert found[found.minutes == 3].measures == found.measures
    with pytest.raises(CitygeoError, match="CG-IN-004: accessibility"):
        _ = found.facilities
    lost = cg.Accessibility(pd.DataFrame(found))
    assert repr(lost)
    for name in ("measures", "issues", "provenance", "bounds_minutes"):
        with pytest.raises(CitygeoError, match="no longer knows"):
            getattr(lost, name)


def test_a_lambda_is_named_in_provenance():
    found = cg.accessibility(NET, HOMES, SCHOOLS, minutes=3, decay=lambda minutes: 1 - minutes / 3)
    assert "lambda" in found.provenance["parameters"]["decay"]


def test_direction_and_delay():
    net = network({0: (0, 0), 1: (600, 0)}, [((0, 1), STREET | {"oneway": "yes"})])
    home, shop = points([(0, 0)]), points([(600, 0)], wait=[61])
    assert cg.accessibility(net, home, shop, minutes=1).opportunities.tolist() == [1]
    assert cg.accessibility(net, home, shop, minutes=1, direction="from").opportunities.tolist() == [0]
    assert cg.accessibility(net, home, shop, minutes=2, delay_s=60).opportunities.tolist() == [1]
    assert cg.accessibility(net, home, shop, minutes=2, delay_s="wait").opportunities.tolist() == [0]


CITY = grid_city(5)
PLACE = st.tuples(st.integers(-300, 300), st.integers(-300, 300))


@settings(max_examples=40, deadline=None)
@given(
    homes=st.lists(PLACE, min_size=1, max_size=6),
    shops=st.lists(st.tuples(PLACE, st.integers(0, 1000)), min_size=1, max_size=6),
    minutes=st.lists(st.floats(0.2, 6), min_size=1, max_size=3, unique=True),
    order=st.randoms(use_true_random=False),
)
def test_sums_of_the_table_of_times(homes, shops, minutes, order):
    origins = points(homes)
    goals = points([place for place, _ in shops], jobs=[jobs for _, jobs in shops])
    fades = cg.decay.power(0.7)
    table = cg.travel_times(CITY, origins, goals, max_snap_m=500)
    found = cg.accessibility(CITY, origins, goals, minutes=minutes, weight="jobs", max_snap_m=500)
    fading = cg.accessibility(
        CITY, origins, goals, minutes=minutes, weight="jobs", decay=fades, max_snap_m=500
    )
    for row, faded in zip(found.itertuples(), fading.itertuples(), strict=True):
        near = table[(table.origin == row.Index) & (table.time_s <= round(row.minutes * 60_000) / 1000)]
        jobs = [shops[i][1] for i in near.destination]
        assert row.jobs_reached == sum(jobs)
        told = sum(n * fades(s / 60).item() for n, s in zip(jobs, near.time_s, strict=True))
        assert faded.jobs_reached == pytest.approx(told, abs=sum(jobs) * 2**-30)  # steps of a decay
    rows, columns = list(range(len(homes))), list(range(len(shops)))
    order.shuffle(rows)
    order.shuffle(columns)
    mixed = cg.accessibility(
        CITY,
        origins.iloc[rows],
        goals.iloc[columns],
        minutes=minutes,
        weight="jobs",
        decay=fades,
        max_snap_m=500,
    )
    assert mixed.pivot().loc[origins.index].equals(fading.pivot()), "to the last bit"


def test_layers_may_differ_in_crs_and_must_have_one():
    plain = cg.accessibility(NET, HOMES, SCHOOLS, minutes=3)
    moved = cg.accessibility(NET, HOMES.to_crs(3857), SCHOOLS.to_crs(32631), minutes=3)
    assert moved.opportunities.tolist() == plain.opportunities.tolist()
    assert moved.crs == 3857
    for layer in ("origins", "opportunities"):
        layers = {"origins": HOMES, "opportunities": SCHOOLS}
        layers[layer] = layers[layer].set_crs(None, allow_override=True)
        with pytest.raises(CitygeoError, match=f"CG-CRS-001: .*{layer}"):
            cg.accessibility(NET, **layers, minutes=3)


def page_of(drawn, tmp_path):
    """The map as one page."""
    drawn.save_html(tmp_path / "map.html")
    return (tmp_path / "map.html").read_text(encoding="utf-8")


@pytest.mark.parametrize("kind", ["cells", "points"])
def test_one_answer_is_drawn(kind, tmp_path):
    origins = HOMES if kind == "points" else pd.DataFrame(index=cells_on_the_street())
    found = cg.accessibility(NET, origins, BOTH, minutes=[1, 3])
    page = page_of(found.explore(), tmp_path)
    assert "School within 3 min" in page
    assert "3 分钟内学校" in page
    assert "OpenStreetMap" in page
    other = page_of(found.explore("clinic_reached", minutes=1, title="Clinics"), tmp_path)
    assert "Clinic within 1 min" in other
    with pytest.raises(CitygeoError, match="CG-IN-004: minutes=2"):
        found.explore(minutes=2)
    with pytest.raises(CitygeoError, match="CG-IN-005"):
        found.explore("park_reached")


def test_two_answers_are_drawn_at_once(tmp_path):
    cells = pd.DataFrame({"people": [3, 4, 5]}, index=cells_on_the_street())
    cells.attrs["labels"] = {"people": ("Residents", "常住人口")}
    found = cg.accessibility(NET, cells, SCHOOLS, minutes=[1, 3], weight="seats")
    page = page_of(found.explore(("seats_reached", "people")), tmp_path)
    assert "Seats within 3 min" in page
    assert "常住人口" in page
    # the table by itself has its credit, too
    assert "OpenStreetMap" in page_of(cg.explore(found[found.minutes == 3], column="seats_reached"), tmp_path)


def test_capacity_per_person_is_drawn(tmp_path):
    clinics = CLINICS.assign(reach=3)
    for minutes, label in (
        (3, "Capacity per 1,000 people within 3 min"),
        ("reach", "Capacity per 1,000 people"),
    ):
        found = cg.floating_catchment(
            NET, HOMES.assign(people=5), clinics, minutes=minutes, capacity="beds", population="people"
        )
        assert label in page_of(found.explore(), tmp_path)


def test_a_cell_comes_once():
    names = cells_on_the_street()
    for name, layers in (("origins", {}), ("opportunities", {"origins": HOMES})):
        table = pd.DataFrame({"jobs": 1}, index=[*names, names[0]])
        with pytest.raises(CitygeoError, match=f"CG-IN-006: {name}"):
            cg.accessibility(
                NET, **({"origins": table, "opportunities": SCHOOLS} | layers | {name: table}), minutes=3
            )
