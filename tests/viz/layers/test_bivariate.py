"""Maps of two columns: classes, the square legend, colours that every eye can tell apart."""

from __future__ import annotations

import itertools

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from citygeo import hexgrid
from citygeo.errors import CitygeoError
from citygeo.issues import IssueLog
from citygeo.viz.coloured import coloured
from citygeo.viz.layers import bivariate
from citygeo.viz.layers.bivariate import HOLLOW, SQUARE, thirds
from tests.viz.layers.test_hexagons import CELLS, table
from tests.viz.test_classes import SIGHT, lab

NAN = np.nan


@pytest.mark.parametrize("sight", SIGHT)
def test_nine_colours_are_told_apart_and_darken_both_ways_for_every_eye(sight: str) -> None:
    seen = np.array([[lab(colour, sight) for colour in row] for row in SQUARE])
    flat = seen.reshape(9, 3)
    assert min(np.linalg.norm(a - b) for a, b in itertools.combinations(flat, 2)) > 24
    assert (np.diff(seen[..., 0], axis=0) < -8).all()
    assert (np.diff(seen[..., 0], axis=1) < -8).all()
    hollow = lab(HOLLOW, sight)
    assert min(np.linalg.norm(hollow - colour) for colour in flat) > 10


def grid() -> pd.DataFrame:
    """Each pair of 1 to 9 once: nine rows in each of the nine fields."""
    pairs = np.array(list(itertools.product(range(1, 10), repeat=2)))
    return pd.DataFrame({"access": pairs[:, 0], "population": pairs[:, 1]}, index=CELLS[:81])


def test_the_square_counts_every_row_where_it_is_drawn() -> None:
    rows = hexgrid.to_frame(grid())
    (layer,), panel = coloured(rows, ("access", "population"), 0, IssueLog())
    square = layer.square
    assert square is not None
    assert (str(square.x), str(square.y)) == ("Access 可达性", "People 人口")
    assert [str(label) for label in square.columns] == ["1 – 3", "4 – 6", "7 – 9"]
    assert [str(label) for label in square.rows] == ["7 – 9", "4 – 6", "1 – 3"]  # from the top
    assert square.notes == (("9",) * 3,) * 3
    shown = [[layer.styles[style]["fillColor"] for style in line] for line in square.styles]
    assert shown == [list(line) for line in reversed(SQUARE)]
    for row, style in zip(rows.itertuples(), layer.style_of, strict=True):
        assert layer.styles[style]["fillColor"] == SQUARE[(row.population - 1) // 3][(row.access - 1) // 3]
    assert layer.legend == ()
    # 7, 8 and 9 people, each beside access of 1, 2 and 3
    assert panel.headline == (
        "Access × People: 72 people (17.8 %) in orange: “People” high, “Access” low 可达性×人口"
    )


def test_missing_in_either_is_no_data_and_in_neither_class() -> None:
    rows = hexgrid.to_frame(grid().astype(float))
    rows.iloc[0, 0] = rows.iloc[1, 1] = NAN
    (layer,), panel = coloured(rows, ("access", "population"), 0, IssueLog())
    assert [(str(entry.label), entry.note) for entry in layer.legend] == [("no data 无数据", "2 ⬡")]
    assert [layer.styles[style]["fillColor"] for style in layer.style_of[:2]] == [HOLLOW] * 2
    assert sum(int(note) for line in layer.square.notes for note in line) == 79
    assert panel.measures[-1][:2] == (("No data", "无数据"), "2")


@given(st.lists(st.one_of(st.none(), st.floats(width=32)), min_size=1, max_size=40))
def test_thirds_rise_and_hold_all_that_is_known(values: list[float | None]) -> None:
    numbers = np.array([NAN if value is None else value for value in values], float)
    found = thirds("jobs", numbers)
    assert np.array_equal(found.class_of == -1, np.isnan(numbers))
    known = ~np.isnan(numbers)
    order = np.argsort(numbers[known], kind="stable")
    assert np.all(np.diff(found.class_of[known][order]) >= 0)
    assert found.class_of.max() < len(found.labels) <= 3


def test_a_column_that_is_mostly_0_has_0_as_a_class_alone() -> None:
    found = thirds("jobs", np.array([0.0] * 50 + [*range(1, 51)]))
    assert [str(label) for label in found.labels] == ["0", "1 – 29", "30 – 50"]


def test_classes_are_called_thirds_only_where_they_are() -> None:
    def note(rows: pd.DataFrame) -> str:
        return str(coloured(hexgrid.to_frame(rows), ("access", "population"), 0, IssueLog())[1].notes[0])

    even = grid()
    assert "about a third" in note(even)
    mostly_0 = even.assign(access=even["access"].where(even["access"] > 7, 0))  # 63 of 81 rows
    two_values = even.assign(population=even["population"] % 2)
    unknown = even.assign(access=NAN)
    for rows in (mostly_0, two_values, unknown):
        assert "third" not in note(rows)
        assert "三分之一" not in note(rows)
        assert "as its values allow" in note(rows)


@pytest.mark.parametrize(("n", "columns"), [(1, 1), (2, 2), (3, 3)])
def test_a_column_of_few_values_has_fewer_columns_in_the_square(n: int, columns: int) -> None:
    rows = grid()
    rows["access"] = rows["access"] % n
    (layer,), _ = coloured(hexgrid.to_frame(rows), ("access", "population"), 0, IssueLog())
    assert {len(line) for line in layer.square.styles} == {columns}
    assert len(layer.square.columns) == columns
    colours = {layer.styles[style]["fillColor"] for line in layer.square.styles for style in line}
    assert len(colours) == 3 * columns


def test_shares_are_in_per_cent_and_one_of_few_people_says_rows() -> None:
    rows = table(population_share=np.linspace(0, 1, 30), jobs=np.arange(30))
    (layer,), panel = coloured(rows, ("population_share", "jobs"), 0, IssueLog())
    assert all(str(label).endswith(" %") for label in layer.square.columns)
    assert panel.headline.startswith("People: share × Jobs: 0 hexagons in orange")


def test_words_have_no_place_in_a_map_of_two_numbers() -> None:
    with pytest.raises(CitygeoError) as caught:
        coloured(table(jobs=[1, 2], status=["a", "b"]), ("jobs", "status"), 0, IssueLog())
    assert caught.value.code == "CG-IN-004"


def test_spread_keeps_the_ends() -> None:
    assert [bivariate.spread(n) for n in (1, 2, 3)] == [[2], [0, 2], [0, 1, 2]]
