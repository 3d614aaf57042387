"""Charts for print: what is drawn is what was found, in both languages, in every format."""

from __future__ import annotations

from types import SimpleNamespace
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd
import pytest

from citygeo.access.equity import equity
from citygeo.errors import CitygeoWarning, FileError
from citygeo.viz import charts, fonts
from tests.viz.fakes import HOSTILE

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

matplotlib = pytest.importorskip("matplotlib")

CELLS = pd.DataFrame({"schools": [0, 1, 3, 8], "population": [10, 20, 10, 10], "old": [5, 0, 0, 5]})


@pytest.fixture(autouse=True)
def _closed() -> Iterator[None]:
    matplotlib.use("agg")
    yield
    from matplotlib import pyplot as plt

    plt.close("all")


def curve(**changes: Any) -> Any:
    minutes = np.array([0.0, 5, 10])
    table = pd.DataFrame({"population": [0.1, 0.6, 0.9], "shops": [0.0, 0.25, 1.0]}, index=minutes)
    return SimpleNamespace(**{"table": table, "limit": 5.0, "has_own_limits": False} | changes)


def legend(ax: Any) -> list[str]:
    return [text.get_text() for text in ax.get_legend().get_texts()]


def test_lorenz_curves_are_those_of_the_table() -> None:
    found = equity(CELLS, "schools", groups=["old"])
    ax = found.plot()
    lines = {line.get_label().split("  ")[0]: line for line in ax.lines}
    for group, label in (("population", "People 人口"), ("old", "old")):
        drawn = found.lorenz[found.lorenz["group"] == group]
        np.testing.assert_allclose(lines[label].get_xdata(), 100 * drawn["people_share"])
        np.testing.assert_allclose(lines[label].get_ydata(), 100 * drawn["value_share"])
        assert f"Gini 基尼系数 {found.table.loc[group, 'gini']:.3f}" in lines[label].get_label()
    # 20 of 50 people hold 10 of 130; the last 5 of them 40
    assert "bottom 40 % have 最少40%人口占有  7.7 %" in legend(ax)
    assert "top 10 % have 最多10%人口占有  30.8 %" in legend(ax)
    assert ax.get_xlim() == ax.get_ylim() == (0, 100)
    assert ax.get_title(loc="left") == "How evenly is it shared out? schools\n分配是否公平:洛伦兹曲线"


def test_many_groups_have_their_legend_beside_the_chart() -> None:
    names = [f"age_{n}" for n in range(5)]
    table = CELLS.assign(**dict.fromkeys(names, 1))
    ax = equity(table, "schools", groups=names).plot()
    ax.figure.draw_without_rendering()
    assert ax.get_legend().get_window_extent().x0 >= ax.get_window_extent().x1


def test_a_group_with_nothing_has_no_curve() -> None:
    with pytest.warns(CitygeoWarning, match="CG-ACC-023"):
        found = equity(CELLS.assign(poor=[1, 0, 0, 0]), "schools", groups=["poor"])
    assert not [line for line in legend(found.plot()) if line.startswith("poor")]


def test_curve_marks_the_bound_with_its_shares() -> None:
    ax = charts.plot_curve(curve())
    assert legend(ax) == ["People 人口  60.0 %", "shops  25.0 %"]
    assert ax.get_legend().get_title().get_text() == "within 5 min 5分钟内"
    marks = [line.get_ydata()[0] for line in ax.lines if line.get_marker() == "o"]
    assert marks == [60.0, 25.0]
    assert ax.get_xlabel() == "minutes 分钟"


@pytest.mark.parametrize("suffix", ["png", "svg", "pdf"])
def test_charts_are_written_whole_and_alike(suffix: str, tmp_path: Path) -> None:
    for number, draw in enumerate(
        (equity(CELLS, "schools").plot, lambda path: charts.plot_curve(curve(), path))
    ):
        one, other = (tmp_path / f"{number}-{run}.{suffix}" for run in "ab")
        draw(one)
        draw(other)
        assert one.read_bytes() == other.read_bytes()
        assert one.stat().st_size > 3000
    assert len(list(tmp_path.iterdir())) == 4  # nothing temporary is left


def test_other_files_are_refused(tmp_path: Path) -> None:
    with pytest.raises(FileError, match="CG-FILE-012"):
        charts.plot_curve(curve(), tmp_path / "chart.bmp")


@pytest.mark.parametrize("name", HOSTILE)
def test_hostile_names_are_only_text(name: str, tmp_path: Path) -> None:
    table = CELLS.rename(columns={"schools": name})
    equity(table, name).plot(tmp_path / "lorenz.svg", title=(name, name))
    bad = curve(table=curve().table.rename(columns={"shops": name}))
    assert len(legend(charts.plot_curve(bad, tmp_path / "curve.png"))) == 2


def test_without_a_font_charts_are_english_and_a_chinese_name_is_told(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(fonts, "families", lambda: [fonts.OTHERS])
    ax = charts.plot_curve(curve())
    assert legend(ax) == ["People  60.0 %", "shops  25.0 %"]
    named = curve(table=curve().table.rename(columns={"shops": "商店"}))
    with pytest.warns(CitygeoWarning, match="CG-FONT-001"):
        charts.plot_curve(named)
