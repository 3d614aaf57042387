"""The report, against numbers worked out by hand."""

from __future__ import annotations

import numpy as np
import pytest

from tests.toy import ONEWAY, STREET, network

# a triangle 1-2-3 with a one-way spur 3 -> 4, and an island 5-6 without a speed tag
NODES = {1: (0, 0), 2: (300, 0), 3: (300, 400), 4: (300, 1400), 5: (5000, 0), 6: (5000, 600)}
WAYS = [
    ((1, 2), STREET),
    ((2, 3), {"highway": "primary", "maxspeed": "72"}),
    ((3, 1), STREET),
    ((3, 4), ONEWAY),
    ((5, 6), {"highway": "service", "surface": "gravel"}),
]


@pytest.fixture(scope="module")
def report():
    return network(NODES, WAYS).report()


def test_figures_by_hand(report):
    value = report.table["value"]
    assert value["edges"] == 4  # node 1 is no junction, and its streets are alike
    assert value["nodes"] == 5
    assert value["length"] == pytest.approx(0.3 + 0.4 + 0.5 + 1 + 0.6, abs=1e-5)
    assert value["components"] == 2
    assert value["outside_main"] == pytest.approx(0.6, abs=1e-5)
    assert value["outside_main_share"] == pytest.approx(100 * 0.6 / 2.8, abs=1e-3)
    assert value["outside_strong"] == pytest.approx(1.6, abs=1e-5)
    assert value["dead_ends"] == 3
    assert value["imputed_speed_share"] == pytest.approx(100 * 0.6 / 2.8, abs=1e-3)


def test_components_by_hand(report):
    assert report.components[["nodes", "edges"]].to_numpy().tolist() == [[3, 3], [2, 1]]
    np.testing.assert_allclose(report.components["km"], [2.2, 0.6], atol=1e-5)


def test_speeds_by_hand(report):
    speeds = report.speeds
    assert speeds.index.tolist() == ["residential", "service", "primary"]
    np.testing.assert_allclose(speeds["km"], [1.8, 0.6, 0.4], atol=1e-5)
    np.testing.assert_allclose(speeds["mean_kmh"], [36, 18, 72], rtol=1e-4)
    assert speeds["imputed_share"].tolist() == [0, 1, 0]


def test_text_is_bilingual_with_units(report):
    text = str(report)
    assert "Connected parts 连通分量: 2" in text
    assert "%" in text
    assert len(text.splitlines()) == len(report.table)
    assert report.issues.empty
    assert "连通分量" in report._repr_html_()


def test_loop_is_no_dead_end():
    nodes = {1: (0, 0), 2: (100, 0), 3: (100, 100)}
    assert network(nodes, [((1, 2, 3, 1), STREET)]).report().table["value"]["dead_ends"] == 0


def test_street_of_no_length_does_not_break_the_figures():
    nodes = {1: (0, 0), 2: (0, 0), 3: (90, 0)}
    report = network(nodes, [((1, 2), {"highway": "service"}), ((2, 3), STREET)]).report()
    assert report.table["value"]["length"] == pytest.approx(0.09, abs=1e-6)
    assert report.speeds.loc["residential", "mean_kmh"] == pytest.approx(36, rel=1e-4)
