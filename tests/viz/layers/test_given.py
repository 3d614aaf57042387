"""Points put on a network."""

from __future__ import annotations

import numpy as np
import pytest
import shapely

from citygeo.issues import IssueLog
from citygeo.network.report import NetworkReport, make_report
from citygeo.network.report.examine import PROBLEMS
from citygeo.viz.layers import given
from tests.network.report.test_connection import NODES, WAYS
from tests.toy import lonlat, network, points

# on the main part, on a trap, too far, without geometry
PLACES = [(0, -20), (210, -100), (0, -900)]


@pytest.fixture(scope="module")
def report() -> NetworkReport:
    layer = points(PLACES)
    layer.loc[3, "geometry"] = shapely.Point()
    return make_report(network(NODES, WAYS), layer)


def test_points_are_drawn_by_how_they_stand_worst_last(report: NetworkReport) -> None:
    layer = given.snap_points(report.snaps, PROBLEMS, IssueLog())
    assert [(str(entry.label), entry.note) for entry in layer.legend] == [
        ("on the network 已接入路网", "1"), ("without way there and back 不能往返", "1"),
        ("too far from any street 离路网过远", "1"),
    ]  # fmt: skip
    assert layer.style_of.tolist() == [0, 1, 2]
    assert layer.tips is not None
    assert layer.tips.rows == [
        ["#0", "on the network 已接入路网", "20.0 m", "–"],
        ["#1", "on the network 已接入路网", "10.0 m", "can be entered, not left 可进不可出"],
        ["#2", "too far from any road 离路网过远", "727.7 m", "–"],
    ]


def test_lines_lead_to_the_place_on_the_road(report: NetworkReport) -> None:
    layer = given.snap_lines(report.snaps)
    first, second = layer.shapes[0].geoms
    assert np.asarray(first.coords) == pytest.approx(np.array([lonlat(0, -20), lonlat(0, 0)]), abs=1e-8)
    assert np.asarray(second.coords) == pytest.approx(
        np.array([lonlat(210, -100), lonlat(200, -100)]), abs=1e-8
    )


def test_no_point_on_the_network_is_no_line(report: NetworkReport) -> None:
    off = report.snaps[report.snaps["status"] != "ok"]
    assert len(given.snap_lines(off).shapes) == 0


def test_of_too_many_points_the_farthest_are_drawn(
    report: NetworkReport, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(given, "MAX_POINTS", 1)
    log = IssueLog()
    layer = given.snap_points(report.snaps, PROBLEMS, log)
    assert layer.tips is not None
    assert [row[0] for row in layer.tips.rows] == ["#2"]
    assert [entry.note for entry in layer.legend] == ["1", "1", "1"]  # the counts are of all
    assert log.table()[["code", "count"]].to_numpy().tolist() == [["CG-MAP-001", 3]]
