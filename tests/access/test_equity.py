"""Equity against plain fractions, closed forms, and what every measure of inequality must keep."""

from __future__ import annotations

import math
import warnings
from fractions import Fraction
from itertools import pairwise
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from citygeo.access.equity import Equity, equity
from citygeo.errors import CitygeoWarning, InputError
from tests import reference

if TYPE_CHECKING:
    from collections.abc import Sequence

VALUES = st.integers(0, 50).map(float)
PEOPLE = st.integers(0, 9)
PLACES = st.lists(st.tuples(VALUES, PEOPLE), min_size=1, max_size=12).filter(
    lambda rows: sum(value * people for value, people in rows) > 0
)


def of(values: Sequence[float], people: Sequence[float], **asked: Any) -> Equity:
    return equity(pd.DataFrame({"x": values, "population": people}), "x", **asked)


def row(values: Sequence[float], people: Sequence[float], **asked: Any) -> Any:
    return of(values, people, **asked).table.loc["population"]


def parts(rows: list[tuple[float, int]]) -> tuple[list[Fraction], list[Fraction]]:
    return [Fraction(value) for value, _ in rows], [Fraction(people) for _, people in rows]


# --- oracle and closed forms ----------------------------------------------------------------------


@given(PLACES, VALUES)
def test_measures_are_those_of_fractions(rows: list[tuple[float, int]], standard: float) -> None:
    values, people = parts(rows)
    found = row(*zip(*rows, strict=True), standard=standard)
    total = sum(people)
    assert found["people"] == total
    assert found["gini"] == pytest.approx(float(reference.gini(values, people)), abs=1e-12)
    ratio = reference.palma(values, people)
    assert found["palma"] == (math.inf if ratio is None else pytest.approx(float(ratio), rel=1e-9))
    assert found["median"] == float(reference.median_of_people(values, [int(n) for n in people]))
    below = sum(n for value, n in zip(values, people, strict=True) if value < standard)
    assert found["share_below"] == float(below / total)
    held = sum(value * n for value, n in zip(values, people, strict=True))
    assert found["mean"] == pytest.approx(float(held / total))


@given(PLACES, st.fractions(0, 1))
def test_lorenz_curve_tells_what_any_share_of_the_people_holds(
    rows: list[tuple[float, int]], share: Fraction
) -> None:
    values, people = parts(rows)
    curve = of(*zip(*rows, strict=True)).lorenz
    drawn = np.interp(float(share), curve["people_share"], curve["value_share"])
    whole = reference.held_by_first(values, people, Fraction(1))
    assert drawn == pytest.approx(float(reference.held_by_first(values, people, share) / whole), abs=1e-9)
    assert curve[["people_share", "value_share"]].iloc[0].tolist() == [0, 0]
    assert curve[["people_share", "value_share"]].iloc[-1].tolist() == [1, 1]


def test_closed_forms() -> None:
    assert row([7] * 5, [1, 2, 3, 4, 5])["gini"] == 0
    assert row([7] * 5, [1, 2, 3, 4, 5])["palma"] == pytest.approx(0.25)
    # one of n has all: (n - 1) / n
    assert row([0, 0, 0, 9], [1, 1, 1, 1])["gini"] == pytest.approx(3 / 4)
    assert row([0, 9], [99, 1])["gini"] == pytest.approx(0.99)
    assert row([0, 9], [99, 1])["palma"] == math.inf
    # 1 to n: (n - 1) / 3n
    n = 100
    found = row(np.arange(1.0, n + 1), np.ones(n))
    assert found["gini"] == pytest.approx((n**2 - 1) / (3 * n * (n + 1)))
    assert found["palma"] == pytest.approx(sum(range(91, 101)) / sum(range(1, 41)))
    assert found["median"] == 50.5


def test_exponential_shares_have_a_gini_of_one_half() -> None:
    """The Lorenz curve of the exponential distribution is p + (1 - p) log(1 - p), its Gini 1/2."""
    n = 20_000
    found = of(-np.log1p(-(np.arange(n) + 0.5) / n), np.ones(n))
    assert found.table.loc["population", "gini"] == pytest.approx(0.5, abs=1e-3)
    p = found.lorenz["people_share"].to_numpy()[1:-1]
    drawn = found.lorenz["value_share"].to_numpy()[1:-1]
    np.testing.assert_allclose(drawn, p + (1 - p) * np.log1p(-p), atol=1e-3)


def test_a_place_on_both_sides_of_a_bound_counts_with_a_part_of_its_people() -> None:
    found = row([1, 3], [50, 50])
    # bottom 40 of the first 50; top 10 of the last 50
    assert found["palma"] == pytest.approx((10 * 3) / (40 * 1))


def test_median_lies_between_two_values_where_both_would_do() -> None:
    assert row([1, 3, 5], [2, 1, 1])["median"] == 2
    assert row([1, 3, 5], [2, 1, 0.5])["median"] == 1
    with pytest.warns(CitygeoWarning, match="CG-ACC-021"):
        assert row([1, math.inf], [1, 1])["median"] == math.inf


# --- what holds for every measure of inequality ----------------------------------------------------


@given(PLACES, st.sampled_from([0.001, 0.5, 3.0, 1e12]))
def test_units_do_not_matter(rows: list[tuple[float, int]], factor: float) -> None:
    values, people = map(np.array, zip(*rows, strict=True))
    one, other = row(values, people), row(values * factor, people)
    assert other["gini"] == pytest.approx(one["gini"], abs=1e-12)
    assert other["palma"] == pytest.approx(one["palma"])
    assert other["median"] == pytest.approx(one["median"] * factor)


@given(PLACES, st.integers(2, 5))
def test_the_same_people_many_times_over_change_nothing(rows: list[tuple[float, int]], times: int) -> None:
    values, people = map(np.array, zip(*rows, strict=True))
    one = row(values, people, standard=5)
    for other in (
        row(values, people * times, standard=5),
        row(np.tile(values, times), np.tile(people, times), standard=5),
    ):
        for measure in ("mean", "median", "share_below", "gini", "palma"):
            assert other[measure] == pytest.approx(one[measure], abs=1e-12)


@given(PLACES, st.randoms())
def test_order_of_rows_changes_nothing_at_all(rows: list[tuple[float, int]], random: Any) -> None:
    shuffled = random.sample(rows, len(rows))
    one, other = of(*zip(*rows, strict=True)), of(*zip(*shuffled, strict=True))
    pd.testing.assert_frame_equal(one.table, other.table, check_exact=True)
    pd.testing.assert_frame_equal(one.lorenz, other.lorenz, check_exact=True)


@given(PLACES, st.data())
def test_giving_to_who_has_less_lowers_the_gini(rows: list[tuple[float, int]], data: Any) -> None:
    """The principle of transfers: one person of a place with more gives to one of a place with less."""
    lived = sorted((value, people) for value, people in rows if people)
    pairs = [(low, high) for low, high in pairwise(range(len(lived))) if lived[high][0] > lived[low][0] + 1]
    if not pairs:
        return
    low, high = data.draw(st.sampled_from(pairs))
    moved = [(value, people - (place in (low, high))) for place, (value, people) in enumerate(lived)]
    moved += [(lived[low][0] + 0.5, 1), (lived[high][0] - 0.5, 1)]
    assert row(*zip(*moved, strict=True))["gini"] < row(*zip(*lived, strict=True))["gini"]


@given(PLACES)
def test_measures_stay_within_their_bounds(rows: list[tuple[float, int]]) -> None:
    found = of(*zip(*rows, strict=True))
    assert 0 <= found.table["gini"].iloc[0] < 1
    assert found.table["palma"].iloc[0] >= 0.25 - 1e-12
    curve = found.lorenz
    assert (curve["value_share"] <= curve["people_share"] + 1e-12).all()
    assert curve["people_share"].is_monotonic_increasing
    assert curve["value_share"].is_monotonic_increasing


# --- groups, missing, unreachable -------------------------------------------------------------------


def test_one_group_may_be_given_as_text() -> None:
    table = pd.DataFrame({"x": [1.0, 2, 5], "population": [3, 0, 4], "old": [1, 2, 0]})
    told, listed = (equity(table, "x", groups=groups) for groups in ("old", ["old"]))
    pd.testing.assert_frame_equal(told.table, listed.table)
    assert told.table.index.tolist() == ["population", "old"]
    assert told.provenance["parameters"]["groups"] == ["old"]
    assert equity(table, "x", groups="population").table.index.tolist() == ["population"]


def test_each_group_is_measured_by_its_own_people() -> None:
    table = pd.DataFrame({"x": [0.0, 4.0], "population": [10, 10], "old": [5, 0], "young": [0, 2.5]})
    with pytest.warns(CitygeoWarning, match="CG-ACC-023: There is no x to share out among old"):
        found = equity(table, "x", groups=["old", "young"], standard=1).table
    assert found.index.tolist() == ["population", "old", "young"]
    assert found["people"].tolist() == [20, 5, 2.5]
    assert found["mean"].tolist() == [2, 0, 4]
    assert found["share_below"].tolist() == [0.5, 1, 0]
    assert math.isnan(found.loc["old", "gini"])  # they have nothing


def test_missing_is_left_out_and_told() -> None:
    with pytest.warns(CitygeoWarning, match="CG-ACC-020"):
        found = of([1, math.nan, 3, math.nan], [10, 30, 10, 0], standard=2)
    assert found.table.loc["population", ["people", "unknown", "mean", "share_below"]].tolist() == [
        50,
        30,
        2,
        0.5,
    ]
    issue = found.issues.set_index("code").loc["CG-ACC-020"]
    assert (issue["count"], issue["sample"]) == (1, "1")
    assert "30 of 50 population" in issue["message"]


def test_who_gets_nowhere_has_most_minutes_and_no_mean() -> None:
    with pytest.warns(CitygeoWarning, match="CG-ACC-021"):
        found = of([1, 3, math.inf], [10, 10, 80], standard=2)
    told = found.table.loc["population"]
    assert told[["people", "unreachable", "mean", "share_below"]].tolist() == [100, 80, 2, 0.1]
    assert told["median"] == math.inf
    assert told["gini"] == pytest.approx(float(reference.gini([Fraction(1), Fraction(3)], [Fraction(1)] * 2)))


@pytest.mark.parametrize(("values", "people"), [([0, 0], [1, 2]), ([1, 2], [0, 0]), ([math.inf], [3])])
def test_nothing_to_share_out_is_missing_and_told(values: list[float], people: list[float]) -> None:
    with pytest.warns(CitygeoWarning, match="CG-ACC-023"):
        found = of(values, people)
    assert math.isnan(found.table.loc["population", "gini"])
    assert math.isnan(found.table.loc["population", "palma"])
    assert found.lorenz.empty


def test_a_known_table_says_nothing() -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        found = of([1, 2], [3, 4])
    assert found.issues.empty
    assert repr(found) == "<Equity of x: Gini 0.156, Palma 0.50, 7 people, 1 groups>"
    assert found.provenance["parameters"]["value"] == "x"


# --- what is refused --------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("table", "asked", "code"),
    [
        ({"x": [], "population": []}, {}, "CG-IN-001"),
        ({"y": [1], "population": [1]}, {}, "CG-IN-005"),
        ({"x": [1]}, {}, "CG-IN-005"),
        ({"x": [1], "population": [1]}, {"groups": ["old"]}, "CG-IN-005"),
        ({"x": [-1], "population": [1]}, {}, "CG-IN-003"),
        ({"x": [-math.inf], "population": [1]}, {}, "CG-IN-003"),
        ({"x": ["many"], "population": [1]}, {}, "CG-IN-003"),
        ({"x": [1], "population": [-1]}, {}, "CG-IN-003"),
        ({"x": [1], "population": [math.nan]}, {}, "CG-IN-003"),
        ({"x": [1], "population": [1]}, {"standard": math.nan}, "CG-IN-004"),
        ({"x": [1], "population": [1]}, {"standard": -1}, "CG-IN-004"),
    ],
)
def test_unusable_input_is_refused(table: Any, asked: Any, code: str) -> None:
    with pytest.raises(InputError, match=code):
        equity(pd.DataFrame(table), "x", **asked)


def test_people_are_not_counted_once_for_each_bound() -> None:
    table = pd.DataFrame({"x": [1, 2], "population": [5, 5], "minutes": [5, 15]}, index=["a", "a"])
    with pytest.raises(InputError, match=r"CG-ACC-022: The table has rows of 5, 15 minutes"):
        equity(table, "x")
    assert equity(table[table["minutes"] == 15], "x").table.loc["population", "people"] == 5
