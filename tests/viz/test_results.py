from __future__ import annotations

from typing import Any

import pytest

from citygeo.errors import InputError
from citygeo.issues import IssueLog
from citygeo.viz import map_layers
from citygeo.viz.results import map_extent
from citygeo.viz.results import map_panel as panel_or_none
from tests.viz.fakes import LAT, LON, Coverage, coverage, network, service_area


def test_coverage_layers_come_in_drawing_order() -> None:
    assert [layer.key for layer in map_layers(coverage(), IssueLog())] == [
        "boundaries-municipality", "roads", "service-area", "reached-roads", "shares-municipality",
        "shares-neighbourhood", "uncovered", "blind-spots", "names-municipality", "blind-spot-ranks", "facilities",
    ]  # fmt: skip


def test_subclasses_are_known_and_strangers_refused() -> None:
    class Mine(Coverage):
        pass

    assert len(map_layers(Mine(**vars(coverage())), IssueLog())) == 11
    with pytest.raises(InputError, match="CG-MAP-003: explore cannot draw a dict"):
        map_layers({}, IssueLog())


def test_coverage_without_zones_has_no_boundaries() -> None:
    result = coverage()
    result.zones = result.zones.iloc[:0]
    keys = [layer.key for layer in map_layers(result, IssueLog())]
    assert "roads" in keys
    assert not [key for key in keys if key.startswith(("boundaries", "names", "shares"))]


def test_map_starts_at_what_is_reached_and_the_worst_places() -> None:
    extent = map_extent(coverage())
    assert extent is not None
    west, south, east, north = extent
    assert west < LON + 0.01 < LON + 0.041 <= east  # a blind spot lies west of the reach, a station east
    assert south <= LAT + 0.01
    assert north >= LAT + 0.041
    assert map_extent(network()) is None


def map_panel(result: Any) -> Any:
    return panel_or_none(result)


def test_panels_of_each_result() -> None:
    assert map_panel(network()).headline == "Road network: fire engine: 12 km of road 消防车路网"
    assert map_panel(service_area()).figure == "4.5 km²"
    panel = map_panel(coverage())
    assert panel.figure == "1.5 %"
    assert [str(row[1]) for row in panel.depth] == [
        "none 0处",
        "one 1处",
        "two 2处",
        "three or more 3处及以上",
    ]
    assert str(panel.depth_title) == "People by number of stations in reach 按可达站点数划分的人口"
    assert map_panel(coverage(demand_is_estimate=False)).badge is None


def test_limits_of_their_own_are_in_the_title() -> None:
    title = map_panel(coverage(has_own_limits=True, minutes=6.0)).title
    assert title.en == "Fire engine: coverage within each facility's own limit (up to 6 min)"
    assert title.zh == "消防车各设施自身时限(最长6分钟)覆盖"


def test_what_is_no_fire_station_is_called_a_facility() -> None:
    result = coverage()
    result.area.network.mode.name = "walk"
    assert (
        str(map_panel(result).depth_title) == "People by number of facilities in reach 按可达设施数划分的人口"
    )
    layers = {layer.key: layer for layer in map_layers(result, IssueLog())}
    for key in ("uncovered", "blind-spots", "blind-spot-ranks"):
        assert "Nearest facility 最近设施" in [str(field) for field in layers[key].tips.fields]
    assert layers["service-area"].legend[0].label.en == "Within 5 min of a facility"
