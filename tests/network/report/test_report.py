"""The report as text, files and findings; and that of a real city against networkx."""

from __future__ import annotations

import pickle
from typing import TYPE_CHECKING

import geopandas as gpd
import networkx as nx
import pandas as pd
import pytest

import citygeo as cg
from citygeo.errors import FileError
from citygeo.io.columns import width
from citygeo.issues import IssueLog
from citygeo.network import RoadNetwork
from citygeo.network.report import make_report
from citygeo.network.report.prose import TOPICS, figure_text
from tests.network.report.oracle import dead_ends, directed, links
from tests.network.report.test_connection import NODES, WAYS
from tests.toy import STREET, grid_city, network, points, toy_mode

if TYPE_CHECKING:
    from pathlib import Path


@pytest.fixture(scope="module")
def report():
    return make_report(network(NODES, WAYS), points([(0, -20), (0, -900)]))


def test_text_lines_up_in_both_languages(report):
    text = str(report)
    lines = text.split("\n")
    assert lines[0] == "Fitness of the road network 路网体检: toy, Toy 玩具"
    start = next(i for i, line in enumerate(lines) if line.startswith("Verdict 判定"))
    rule = lines[start + 1]
    columns = [len(part) for part in rule.split("  ")]
    rows = lines[start + 2 : lines.index("", start)]
    assert [line for line in rows if line in TOPICS.values()] == list(TOPICS.values())
    figures = [line for line in rows if line not in TOPICS.values()]
    assert len(figures) == len(report.table)
    # the value ends in the third column on every line
    edge = sum(columns[:3]) + 4
    for line, value, unit in zip(figures, report.table["value"], report.table["unit"], strict=True):
        cut = next(i for i in range(len(line) + 1) if i == len(line) or width(line[: i + 1]) > edge)
        assert line[:cut].endswith(figure_text(value, unit)), line
    assert "…" not in text
    assert "bad 较差" in text


def test_text_tells_places_speeds_and_whose_limits_they_are(report):
    text = str(report)
    assert "One-way trap 单行陷阱" in text
    assert "0.00000, 3.00090" in text  # where the first trap is entered
    assert "residential" in text
    assert "citygeo自定" in text
    assert "No suspicious places 未发现可疑之处" in str(make_report(grid_city(2)))


def test_text_of_many_classes_says_how_many_are_left_out():
    nodes = {i: (100.0 * i, 0) for i in range(12)}
    classes = [
        "primary",
        "secondary",
        "tertiary",
        "trunk",
        "motorway",
        "service",
        "residential",
        "track",
        "road",
        "path",
    ]
    mode = toy_mode(speed_kmh=dict.fromkeys(classes, 50))
    net = network(nodes, [((i, i + 1), {"highway": name}) for i, name in enumerate(classes)], mode)
    assert "... and 2 more classes 其余 2 个等级未列出" in str(make_report(net))


def test_no_name_steers_the_terminal():
    net = network(NODES, WAYS, source="ev\x1b[31mil\n")
    given = points([(0, -900), (0, 0)]).set_index(pd.Index(["\x1b[2J", "b"]))
    assert not {"\x1b"} & set(str(make_report(net, given)))


def test_html_is_escaped_and_small(report):
    html = report._repr_html_()
    assert "单行陷阱" in html
    assert len(html) < 50_000
    assert "<script" not in html


def test_repr_counts_verdicts(report):
    count = report.table["verdict"].value_counts()
    assert repr(report) == (
        f"<NetworkReport of toy, toy: {count['bad']} figures bad, {count.get('look', 0)} to look at, "
        f"{len(report.places)} places>"
    )


def test_findings_of_the_build_come_first_and_are_kept_apart():
    log = IssueLog()
    log.add("CG-NET-030", count=1, sample=["maybe"])
    net = network(NODES, WAYS)
    built = RoadNetwork(net.arrays, net.mode, net.source, log)
    found = make_report(built)
    assert found.issues["code"].tolist() == ["CG-NET-030", "CG-FIT-001", "CG-FIT-002", "CG-FIT-003"]
    assert len(log.found) == 1


def test_every_finding_has_its_numbers():
    nodes = {**NODES, 30: (50, 3), 31: (50, 60), 40: (-500, 0), 41: (-500, 0), 51: (900, 0), 52: (900, 500)}
    nodes |= {61: (900, 0), 62: (900, 100), 63: (990, 100)}
    ways = [
        *WAYS,
        ((30, 31), {"highway": "service"}),
        ((40, 41), STREET),
        ((40, 1), {"highway": "residential", "maxspeed": "90"}),
        ((51, 52), {"highway": "service"}),
        ((31, 40), {"highway": "service"}),
        ((61, 62, 63), {"highway": "service"}),
        *[((62 + i, 63 + i), {"highway": "service"}) for i in range(1, 4)],
    ]
    nodes |= {64: (1990, 100), 65: (2990, 100), 66: (3990, 100)}
    found = make_report(network(nodes, ways))
    # the island is drawn twice with nodes of its own: four ends and one more lie on each other, not joined
    issues = found.issues.set_index("code")
    assert issues["count"].drop("CG-FIT-009").to_dict() == {
        "CG-FIT-001": 4, "CG-FIT-002": 2, "CG-FIT-003": 1, "CG-FIT-004": 6, "CG-FIT-005": 1, "CG-FIT-007": 1,
        "CG-FIT-008": 1,
    }  # fmt: skip
    assert "CG-FIT-006" not in issues.index
    message = issues["message"]
    assert message["CG-FIT-002"].startswith(
        "2 parts with 0.3 km of streets can be entered and not left: ways 4, 5."
    )
    assert "within 5 m of a street" in message["CG-FIT-004"]
    assert "1 edges with 500 m" in message["CG-FIT-005"]
    assert "1 too fast and 0 too slow" in message["CG-FIT-008"]
    assert f"{found.table.loc['imputed_speed_share', 'value']:.0f} % of the length" in message["CG-FIT-009"]


def test_overlap_is_a_finding():
    nodes = {1: (0, 0), 2: (100, 0), 3: (200, 0), 12: (100, 0), 13: (200, 0), 14: (300, 40)}
    issues = make_report(network(nodes, [((1, 2, 3), STREET), ((14, 13, 12), STREET)])).issues.set_index(
        "code"
    )
    assert issues.loc["CG-FIT-006", "message"].startswith("1 edges run 100 m over another")


def test_report_changes_nothing_and_is_the_same_again(report):
    again = make_report(report.network, points([(0, -20), (0, -900)]))
    pd.testing.assert_frame_equal(report.table, again.table)
    pd.testing.assert_frame_equal(report.places, again.places)
    assert len(report.network.log.found) == 0


def test_report_survives_pickle(report):
    copy = pickle.loads(pickle.dumps(report))
    pd.testing.assert_frame_equal(copy.table, report.table)
    assert str(copy) == str(report)


def test_files_hold_the_tables(report, tmp_path: Path):
    files = report.save(tmp_path / "new" / "out")
    assert {name: path.name for name, path in files.items()} == {
        "report": "report.gpkg", "table": "table.csv", "places": "places.csv", "components": "components.csv",
        "strong_components": "strong_components.csv", "speeds": "speeds.csv", "issues": "issues.csv",
    }  # fmt: skip
    assert sorted(path.name for path in (tmp_path / "new" / "out").iterdir()) == sorted(
        p.name for p in files.values()
    )
    layers = gpd.list_layers(files["report"])
    assert layers["name"].tolist() == [
        "places", "dead_ends", "points", "edges", "table", "issues", "layer_styles",
    ]  # fmt: skip
    places = gpd.read_file(files["report"], layer="places")
    assert places["problem"].tolist() == report.places["problem"].tolist()
    assert places.crs.to_epsg() == 4326
    table = pd.read_csv(files["places"])
    assert table[["lon", "lat"]].to_numpy() == pytest.approx(places.get_coordinates().to_numpy())
    assert (
        pd.read_csv(files["table"]).set_index("figure")["verdict"].fillna("").tolist()
        == report.table["verdict"].tolist()
    )


def test_report_without_spots_or_points_is_written_too(tmp_path: Path):
    files = make_report(grid_city(2)).save(tmp_path)
    assert len(gpd.read_file(files["report"], layer="places")) == 0
    assert "points" not in gpd.list_layers(files["report"])["name"].tolist()


def test_folder_that_cannot_be_is_refused(report, tmp_path: Path):
    (tmp_path / "out").write_text("a file")
    with pytest.raises(FileError, match="CG-FILE-012"):
        report.save(tmp_path / "out")


@pytest.fixture(scope="module")
def city():
    return make_report(cg.datasets.reykjavik().network(mode="drive"))


def test_real_city_agrees_with_networkx(city):
    net = city.network
    graph, value = directed(net), city.table["value"]
    assert value["components"] == nx.number_weakly_connected_components(graph)
    assert value["strong_components"] == nx.number_strongly_connected_components(graph)
    assert value["dead_ends"] == len(dead_ends(net))
    found = links(net)
    assert city.edges["link"].to_dict() == found
    by_link = pd.Series(net.length_m).groupby(pd.Series(found)).sum() / 1000
    assert by_link["trap"] == pytest.approx(value["trap_length"])
    assert by_link["source"] == pytest.approx(value["source_length"])
    assert by_link.drop("main").sum() == pytest.approx(value["outside_strong"])


def test_real_city_is_told_to_be_looked_at(city):
    assert city.table.loc["outside_strong_share", "verdict"] == "look"
    assert 0 < len(city.places) < 200
    # the road past Keflavik leaves the sample: one carriageway is entered, the other left
    first = city.places[city.places["problem"].isin(["trap", "source"])].groupby("problem")["name"].first()
    assert first.to_dict() == {"source": "Reykjanesbraut", "trap": "Reykjanesbraut"}
