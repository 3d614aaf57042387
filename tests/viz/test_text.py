from __future__ import annotations

import math

import numpy as np
import pandas as pd
import pytest

from citygeo.viz.text import (
    Label,
    facility_names,
    level_label,
    number,
    people,
    percent,
    travel_time,
    value_text,
)
from tests.viz.fakes import service_area


@pytest.mark.parametrize(
    ("value", "shown"),
    [
        (0.0, "0.0 %"), (1.0, "100.0 %"), (0.5, "50.0 %"), (0.0004, "< 0.1 %"), (0.9996, "> 99.9 %"),
        (math.nan, "–"), (None, "–"),
    ],
)  # fmt: skip
def test_percent_never_rounds_to_all_or_nothing(value: float | None, shown: str) -> None:
    assert percent(value) == shown


def test_times_people_and_numbers() -> None:
    assert travel_time(math.inf) == "cannot be reached 不可达"
    assert travel_time(math.nan) == "–"
    assert travel_time(90) == "1:30 min"
    assert people(0.2) == "< 1"
    assert number(math.inf) == "∞"
    assert number(1234567.891, 1) == "1,234,567.9"


@pytest.mark.parametrize(
    ("value", "shown"),
    [
        (None, "–"), (pd.NA, "–"), (np.nan, "–"), (True, "yes 是"), (np.int64(12345), "12,345"), (0.1 + 0.2, "0.3"),
        ("x" * 200, "x" * 119 + "…"), ([1, 2], "[1, 2]"),
    ],
)  # fmt: skip
def test_value_text_is_short_and_plain(value: object, shown: str) -> None:
    assert value_text(value) == shown


def test_labels_and_names() -> None:
    assert str(Label("Roads", "道路")) == "Roads 道路"
    assert str(Label("Roads")) == "Roads"
    assert level_label("district").zh == "行政区"
    assert level_label("网格") == Label("网格")
    assert facility_names(service_area().facilities) == {"a": "Station 一", "b": "#b"}
    assert facility_names(service_area().facilities[["geometry"]]) == {"a": "#a", "b": "#b"}
