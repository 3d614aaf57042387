"""Cutting segments: positions by hand, lengths against the geodesic."""

from __future__ import annotations

import numpy as np
import pyproj
import pytest
import shapely
from hypothesis import given
from hypothesis import strategies as st

from citygeo.io.overture_cuts import Cuts, Marks, cut
from tests.io.segments import degrees
from tests.toy import EQUATOR_M_PER_DEGREE


def made(
    lines: list[list[tuple[float, float]]],
    connectors: list[tuple[int, int, float]],
    changes: list[tuple[int, float]] | None = None,
) -> Cuts:
    """Cut lines in metres; connectors as (row, number, at)."""
    shapes = np.array([shapely.LineString([degrees(*place) for place in line]) for line in lines], object)
    row, number, at = (
        (np.array(column) for column in zip(*connectors, strict=True)) if connectors else [[]] * 3
    )
    change_row, change_at = zip(*changes, strict=True) if changes else ([], [])
    return cut(
        shapes,
        Marks(np.array(row, np.int64), np.array(at, np.float64)),
        np.array(number, np.int64),
        Marks(np.array(change_row, np.int64), np.array(change_at, np.float64)),
    )


def metres(cuts: Cuts) -> list[float]:
    return (cuts.lonlat[:, 0] * EQUATOR_M_PER_DEGREE).round(3).tolist()


def test_connector_at_a_vertex_takes_it() -> None:
    cuts = made([[(0, 0), (400, 0), (1000, 0)]], [(0, 5, 0.0), (0, 6, 0.4), (0, 7, 1.0)])
    assert cuts.connector.tolist() == [5, 6, 7]
    assert list(zip(cuts.start.tolist(), cuts.stop.tolist(), strict=True)) == [(0, 1), (1, 2)]
    assert cuts.off_m.size == 0


def test_connector_away_from_vertices_gets_one_and_is_told() -> None:
    cuts = made([[(0, 0), (400, 0), (1000, 0)]], [(0, 5, 0.5)])
    assert metres(cuts) == [0, 400, 500, 1000]
    assert cuts.connector.tolist() == [-1, -1, 5, -1]
    assert cuts.off_m.round(3).tolist() == [100]


def test_connector_ten_centimetres_away_is_at_the_vertex() -> None:
    assert made([[(0, 0), (400, 0), (1000, 0)]], [(0, 5, 0.40009)]).connector.tolist() == [-1, 5, -1]
    assert made([[(0, 0), (400, 0), (1000, 0)]], [(0, 5, 0.40011)]).connector.tolist() == [-1, -1, 5, -1]


def test_two_connectors_at_one_vertex_stay_two() -> None:
    cuts = made([[(0, 0), (400, 0), (1000, 0)]], [(0, 5, 0.4), (0, 6, 0.40005)])
    assert cuts.connector.tolist() == [-1, 5, 6, -1]
    assert metres(cuts) == [0, 400, 400.05, 1000]
    assert cuts.off_m.size == 0


def test_two_connectors_at_the_end_stay_two() -> None:
    cuts = made([[(0, 0), (1000, 0)], [(0, 0), (7, 0)]], [(0, 5, 1.0), (0, 6, 1.0)])
    assert sorted(cuts.connector[:3].tolist()) == [-1, 5, 6]
    assert metres(cuts) == [0, 1000, 1000, 0, 7]


def test_changes_cut_but_make_no_connector() -> None:
    cuts = made(
        [[(0, 0), (400, 0), (1000, 0)], [(0, 9), (100, 9)]], [], [(0, 0.4), (0, 0.7), (0, 0.7), (0, 0.700001)]
    )
    assert metres(cuts) == [0, 400, 700, 1000, 0, 100]
    assert list(zip(cuts.start.tolist(), cuts.stop.tolist(), strict=True)) == [(0, 1), (1, 2), (2, 3), (4, 5)]


def test_positions_are_shares_of_the_geodesic_length() -> None:
    # 60 degrees north: a degree of longitude is half as long as one of latitude; as drawn, the corner is at one half
    line = shapely.LineString([(10.0, 60.0), (10.01, 60.0), (10.01, 60.01)])
    geod = pyproj.Geod(ellps="WGS84")
    first = geod.inv(10.0, 60.0, 10.01, 60.0)[2]
    share = first / geod.geometry_length(line)
    assert share == pytest.approx(0.333, abs=0.002)
    cuts = cut(
        np.array([line]),
        Marks(np.array([0]), np.array([share])),
        np.array([3]),
        Marks(np.array([0]), np.array([0.5])),
    )
    assert cuts.connector.tolist() == [-1, 3, -1, -1]
    assert cuts.at.tolist() == pytest.approx([0, share, 0.5, 1], abs=1e-5)
    # half of the way is a quarter of the way up
    assert cuts.lonlat[2].tolist() == pytest.approx([10.01, 60.0025], abs=1e-4)


shares = st.integers(0, 1000).map(lambda k: k / 1000)


@given(
    st.lists(st.lists(st.integers(1, 300), min_size=1, max_size=5), min_size=1, max_size=4),
    st.lists(st.tuples(st.integers(0, 3), shares), max_size=8, unique=True),
    st.lists(st.tuples(st.integers(0, 3), shares), max_size=8),
)
def test_pieces_cover_each_segment_once(
    steps: list[list[int]], ats: list[tuple[int, float]], changes: list[tuple[int, float]]
) -> None:
    lines = [[(float(x), float(row)) for x in np.cumsum([0, *step])] for row, step in enumerate(steps)]
    connectors = [(row, number, at) for number, (row, at) in enumerate(ats) if row < len(lines)]
    inner = [(row, at) for row, at in changes if row < len(lines) and 0 < at < 1]
    cuts = made(lines, connectors, inner)
    assert sorted(cuts.connector[cuts.connector >= 0].tolist()) == sorted(
        number for _, number, _ in connectors
    )
    for row, step in enumerate(steps):
        own = cuts.row[cuts.start] == row
        assert cuts.start[own][1:].tolist() == cuts.stop[own][:-1].tolist()
        at = cuts.at[cuts.row == row]
        assert (np.diff(at) >= 0).all()
        assert (at[0], at[-1]) == (0.0, pytest.approx(1.0))
        # every vertex lies where its share says
        x = cuts.lonlat[cuts.row == row, 0] * EQUATOR_M_PER_DEGREE
        np.testing.assert_allclose(x, at * sum(step), atol=0.01)
    for row, number, at in connectors:
        assert cuts.at[cuts.connector == number] == pytest.approx(at, abs=0.11 / sum(steps[row]))
    for row, at in inner:
        cut_at = np.concatenate((cuts.at[cuts.start], cuts.at[cuts.stop]))[
            np.concatenate((cuts.row[cuts.start], cuts.row[cuts.stop])) == row
        ]
        assert np.abs(cut_at - at).min() <= 0.11 / sum(steps[row])
