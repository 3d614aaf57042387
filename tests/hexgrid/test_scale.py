from __future__ import annotations

import math
from collections import defaultdict
from fractions import Fraction

import h3.api.numpy_int as h3
import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from citygeo import hexgrid
from citygeo.errors import CitygeoError
from citygeo.hexgrid.scale import divided

HEXAGON = h3.latlng_to_cell(64.14, -21.9, 6)
PENTAGON = h3.get_pentagons(6)[0]
FINE = [child for cell in (HEXAGON, PENTAGON) for child in h3.cell_to_children(cell, 8).tolist()]
NUMBERS = st.one_of(st.none(), st.just(0.0), st.floats(1e-6, 1e6))
ROWS = st.lists(
    st.tuples(st.sampled_from(FINE), NUMBERS, NUMBERS, st.integers(0, 1000)), min_size=1, max_size=40
)


def as_table(rows: list[tuple[int, float | None, float | None, int]]) -> pd.DataFrame:
    texts = hexgrid.to_strings(np.array([row[0] for row in rows], np.uint64))
    columns = {name: [row[at] for row in rows] for name, at in (("value", 1), ("weight", 2), ("people", 3))}
    return pd.DataFrame(columns, index=texts).astype({"value": float, "weight": float})


@given(ROWS, st.integers(5, 8))
def test_coarser_cells_by_plain_python(
    rows: list[tuple[int, float | None, float | None, int]], resolution: int
) -> None:
    by_parent = defaultdict(list)
    for row in rows:
        by_parent[h3.int_to_str(h3.cell_to_parent(row[0], resolution))].append(row)
    found = hexgrid.aggregate(
        as_table(rows), resolution, sums=["people", "value"], means={"weight": "people"},
        shares={"share": ("value", "weight")},
    )  # fmt: skip
    assert found.index.tolist() == sorted(by_parent)
    assert found.columns.tolist() == ["people", "value", "weight", "share", "geometry"]
    for parent, own in by_parent.items():
        assert found.loc[parent, "people"] == sum(row[3] for row in own)
        values = [row[1] for row in own]
        expected = math.nan if None in values else math.fsum(values)
        assert found.loc[parent, "value"] == pytest.approx(expected, nan_ok=True, rel=1e-12)
        known = [(row[2], row[3]) for row in own if row[2] is not None]
        below = sum(weight for _, weight in known)
        expected = math.fsum(value * weight for value, weight in known) / below if below else math.nan
        assert found.loc[parent, "weight"] == pytest.approx(expected, nan_ok=True, rel=1e-12)
        both = [(row[1], row[2]) for row in own if None not in row[1:3]]
        below = math.fsum(weight for _, weight in both)
        expected = math.fsum(value for value, _ in both) / below if below else math.nan
        assert found.loc[parent, "share"] == pytest.approx(expected, nan_ok=True, rel=1e-12)


def test_a_share_is_not_the_mean_of_shares() -> None:
    cells = h3.cell_to_children(HEXAGON, 7)[:2]
    table = pd.DataFrame(
        {"served": [1, 99], "people": [10, 990], "share": [0.1, 0.1]}, index=hexgrid.to_strings(cells)
    )
    table.loc[table.index[0], "served"] = 10
    found = hexgrid.aggregate(table, 6, shares={"share": ("served", "people")})
    assert found["share"].tolist() == [109 / 1000]


def test_means_without_a_column_of_weights_weigh_by_area() -> None:
    cells = h3.cell_to_children(HEXAGON, 7)
    values = np.arange(7.0)
    found = hexgrid.aggregate(pd.Series(values, index=cells, name="height"), 6, means={"height": None})
    areas = hexgrid.cell_areas_m2(cells)
    assert found["height"].iloc[0] == pytest.approx((values * areas).sum() / areas.sum())


def test_infinite_numbers_that_weigh_nothing_do_not_count_in_a_mean() -> None:
    table = pd.DataFrame(
        {"minutes": [np.inf, 2.0, 4.0, np.nan], "people": [0, 10, 30, 0]},
        index=hexgrid.to_strings(np.array(FINE[:4], np.uint64)),
    )
    assert hexgrid.aggregate(table, 6, means={"minutes": "people"})["minutes"].tolist() == [3.5]
    table["people"] = [1, 10, 30, 0]
    assert hexgrid.aggregate(table, 6, means={"minutes": "people"})["minutes"].tolist() == [np.inf]


def test_going_up_step_by_step_is_going_up_at_once() -> None:
    rng = np.random.default_rng(3)
    cells = hexgrid.to_strings(np.array(FINE, np.uint64))
    table = pd.DataFrame(
        {"people": rng.integers(0, 9, len(cells)), "served": 1, "minutes": rng.uniform(0, 9, len(cells))},
        index=cells,
    )
    at_once = hexgrid.aggregate(table, 5, sums=["people"], means={"minutes": "people"})
    half = hexgrid.aggregate(table, 7, sums=["people"], means={"minutes": "people"})
    in_steps = hexgrid.aggregate(half, 5, sums=["people"], means={"minutes": "people"})
    assert in_steps["people"].equals(at_once["people"])
    assert in_steps["minutes"].to_numpy() == pytest.approx(at_once["minutes"].to_numpy())


@settings(max_examples=200)
@given(
    st.lists(st.tuples(st.floats(-1e300, 1e300), st.integers(1, 400)), max_size=8),
    st.randoms(),
)
def test_parts_add_up_to_the_last_bit_in_any_order(pairs: list[tuple[float, int]], random: object) -> None:
    values, counts = (
        np.array([value for value, _ in pairs]),
        np.array([count for _, count in pairs], np.int64),
    )
    parts = divided(values, counts)
    assert parts.size == counts.sum()
    for (value, count), own in zip(
        pairs, np.split(parts, np.cumsum(counts)[:-1]) if pairs else [], strict=True
    ):
        listed = own.tolist()
        random.shuffle(listed)  # type: ignore[attr-defined]
        total = 0.0
        for part in listed:
            total += part
        assert total == value
        assert sum(map(Fraction, listed)) == Fraction(value)
        assert own.max() - own.min() <= np.spacing(abs(value))
        assert len(listed) == count


def test_parts_of_what_is_missing_are_missing() -> None:
    parts = divided(np.array([np.nan, 6.0, np.inf, -4.0]), np.array([2, 3, 1, 2]))
    assert np.isnan(parts[:2]).all()
    assert parts[2:].tolist() == [2.0, 2.0, 2.0, np.inf, -2.0, -2.0]


@given(
    st.lists(st.one_of(st.integers(0, 10**9), st.floats(0, 1e9)), min_size=2, max_size=2), st.integers(6, 9)
)
def test_there_and_back_is_the_same_table(people: list[float], resolution: int) -> None:
    table = pd.DataFrame(
        {"people": people, "share": [0.25, np.nan]},
        index=hexgrid.to_strings(np.array([HEXAGON, PENTAGON], np.uint64)),
    )
    fine = hexgrid.refine(table, resolution, sums=["people"], copies=["share"])
    assert fine.index.tolist() == sorted(
        h3.int_to_str(child)
        for cell in (HEXAGON, PENTAGON)
        for child in h3.cell_to_children(cell, resolution).tolist()
    )
    shuffled = fine.sample(frac=1, random_state=1)
    back = hexgrid.aggregate(shuffled, 6, sums=["people"], means={"share": None}).loc[table.index]
    assert back["people"].tolist() == people
    assert back["share"].to_numpy() == pytest.approx([0.25, np.nan], nan_ok=True)


def refused(code: str, verb: object, *args: object, **options: object) -> None:
    with pytest.raises(CitygeoError) as caught:
        verb(*args, **options)  # type: ignore[operator]
    assert caught.value.code == code


def test_what_cannot_be_brought_to_a_resolution_is_refused() -> None:
    table = pd.DataFrame(
        {"people": [1, -2], "name": "区"}, index=hexgrid.to_strings(np.array(FINE[:2], np.uint64))
    )
    up, down = hexgrid.aggregate, hexgrid.refine
    refused("CG-IN-003", up, table, 9, sums=["people"])
    refused("CG-IN-003", down, table, 7, sums=["people"])
    refused("CG-IN-005", up, table, 7, sums=["jobs"])
    refused("CG-IN-004", up, table, 7, sums=["name"])
    refused("CG-IN-004", up, table, 7, sums=["people"], means={"people": None})
    refused("CG-IN-004", down, table, 9, sums=["people"], copies=["people"])
    refused("CG-IN-003", up, table, 7, means={"people": "people"})
    refused("CG-IN-003", up, table, 7, shares={"share": ("people", "people")})
    refused("CG-IN-006", down, pd.concat([table, table]), 9, sums=["people"])
    family = hexgrid.to_strings(np.array([HEXAGON, h3.cell_to_center_child(HEXAGON, 8)], np.uint64))
    refused("CG-IN-006", down, pd.Series([5, 1], index=family, name="people"), 9, sums=["people"])
    refused("CG-UNIT-002", up, table, 16)
    whole = pd.Series([1], index=hexgrid.to_strings(h3.get_pentagons(4)[:1]), name="people")
    refused("CG-LIM-002", down, whole, 15, sums=["people"])
