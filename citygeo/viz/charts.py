"""Charts for print: Lorenz curves, and coverage against minutes; PNG, SVG or PDF by matplotlib."""

from __future__ import annotations

from itertools import cycle
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from citygeo._optional import need
from citygeo.issues import IssueLog
from citygeo.viz import paper
from citygeo.viz.classes import DISTINCT, INK, LINE
from citygeo.viz.paper import LARGE, NORMAL
from citygeo.viz.text import Label, measure_label, number, percent

if TYPE_CHECKING:
    import os
    from collections.abc import Callable

    from matplotlib.axes import Axes

    from citygeo.access.equity import Equity

SQUARE, WIDE = (5.6, 6.0), (7.4, 4.6)  # inches
DASHES = ("-", (0, (6, 2)), (0, (2, 1.5)), (0, (6, 2, 1.5, 2)))  # lines can be told apart in grey
BOTTOM, TOP = 0.4, 0.9  # of the Palma ratio
MOST_INSIDE = 4  # more curves have their legend beside the chart, where it covers nothing
PERCENT = [0, 20, 40, 60, 80, 100]


def plot_lorenz(
    result: Equity,
    path: str | os.PathLike[str] | None = None,
    *,
    title: str | tuple[str, str] | None = None,
    dpi: int = 200,
) -> Axes:
    """
    Draw the Lorenz curve of each group against the line of equality.

    Parameters
    ----------
    result
        Of `equity`.
    path
        A ``.png``, ``.svg`` or ``.pdf`` to write, whole or not at all.
    title
        Heading instead of the chart's own.
    dpi
        Pixels per inch of a ``.png``.

    Returns
    -------
    The axes, both from 0 to 100 %.

    Raises
    ------
    MissingExtraError
        CG-DEP-001 if matplotlib is not installed: ``pip install "citygeo[plot]"``.
    FileError
        CG-FILE-012 if the file cannot be written.

    Examples
    --------
    >>> import pandas as pd
    >>> from citygeo.access.equity import equity
    >>> cells = pd.DataFrame({"schools": [0, 1, 3], "population": [10, 20, 10]})
    >>> [line.get_label() for line in plot_lorenz(equity(cells, "schools")).lines][1].split("  ")[1]
    'Gini 基尼系数 0.450'
    """

    def draw(ax: Axes, words: paper.Words) -> None:
        ax.plot(
            [0, 100],
            [0, 100],
            color=LINE,
            linewidth=1,
            label=words.text(Label("all have the same", "完全平均")),
        )
        looks = zip(cycle(DISTINCT), cycle(DASHES))
        for (group, row), (colour, dash) in zip(result.table.iterrows(), looks, strict=False):
            curve = result.lorenz[result.lorenz["group"] == group]
            if curve.empty:
                continue
            x, y = 100 * curve["people_share"].to_numpy(), 100 * curve["value_share"].to_numpy()
            gini = f"{words.text(Label('Gini', '基尼系数'))} {row['gini']:.3f}"
            palma = f"{words.text(Label('Palma', '帕尔马比值'))} {number(row['palma'], 2)}"
            named = words.text(measure_label(str(group)))
            ax.plot(x, y, color=colour, linestyle=dash, linewidth=2, label=f"{named}  {gini}  {palma}")
            if group == result.table.index[0]:
                ax.fill_between(x, y, x, color=colour, alpha=0.10, linewidth=0)
                _ends(ax, x, y, words)
        _percent(ax, words, "x", Label("people, those with least first", "人口累计占比(由少到多)"))
        _percent(ax, words, "y", Label("what they have, as a share of all", "占有份额累计"))
        ax.set_aspect("equal")
        _legend(ax, "upper left", beside=len(result.table) > MOST_INSIDE)

    own = Label(f"How evenly is it shared out? {result.value}", "分配是否公平:洛伦兹曲线")
    return _chart(draw, SQUARE, paper.heading_of(title, own), path, dpi)


def _ends(ax: Axes, x: Any, y: Any, words: paper.Words) -> None:
    """Mark what the four tenths with least have, and the tenth with most; the words stand in the legend."""
    look: dict[str, Any] = {"color": LINE, "linewidth": 1, "linestyle": (0, (2, 2))}
    least, most = (float(held) for held in np.interp([100 * BOTTOM, 100 * TOP], x, y))
    has_least = words.text(Label("bottom 40 % have", "最少40%人口占有"), f"{least:.1f} %")
    has_most = words.text(Label("top 10 % have", "最多10%人口占有"), f"{100 - most:.1f} %")
    ax.plot([100 * BOTTOM] * 2, [0, least], **look, label=has_least)
    ax.plot([100 * TOP] * 2, [most, 100], **look, label=has_most)


def _limit(curve: Any) -> Label:
    """Return the limit of a curve in words."""
    if curve.has_own_limits:
        return Label(f"own limits (up to {curve.limit:g} min)", f"各设施自身时限（最长{curve.limit:g}分钟）")
    return Label(f"within {curve.limit:g} min", f"{curve.limit:g}分钟内")


def plot_curve(
    result: Any,
    path: str | os.PathLike[str] | None = None,
    *,
    title: str | tuple[str, str] | None = None,
    dpi: int = 200,
) -> Axes:
    """
    Draw which share is covered within how many minutes.

    Parameters
    ----------
    result
        Of `Coverage.curve`: ``table`` with a row per minutes (its index) and a column of shares per measure, and
        ``limit``, the bound that is marked, and ``has_own_limits``, whether it is the longest of several.
    path, title, dpi
        As in `plot_lorenz`.

    Returns
    -------
    The axes: minutes, and 0 to 100 %.

    Raises
    ------
    MissingExtraError, FileError
        As `plot_lorenz`.
    """

    def draw(ax: Axes, words: paper.Words) -> None:
        minutes = result.table.index.to_numpy(float)
        ax.axvline(result.limit, color=LINE, linewidth=1, linestyle=(0, (2, 2)))
        looks = zip(cycle(DISTINCT), cycle(DASHES))
        for measure, (colour, dash) in zip(result.table.columns, looks, strict=False):
            shares = 100 * result.table[measure].to_numpy(float)
            there = float(np.interp(result.limit, minutes, shares))
            named = f"{words.text(measure_label(str(measure)))}  {percent(there / 100)}"
            ax.plot(minutes, shares, color=colour, linestyle=dash, linewidth=2, label=named)
            ax.plot([result.limit], [there], marker="o", markersize=5, color=colour, markeredgecolor="white")
        ax.set_xlim(0, minutes.max())
        ax.set_xlabel(words.text(Label("minutes", "分钟")), fontsize=NORMAL, color=INK)
        _percent(ax, words, "y", Label("covered", "覆盖率"))
        within = words.text(_limit(result))
        _legend(ax, "center left", beside=True, heading=within)

    own = Label("Coverage against minutes", "覆盖率随时间的变化")
    return _chart(draw, WIDE, paper.heading_of(title, own), path, dpi)


def _chart(
    draw: Callable[[Axes, paper.Words], None],
    size: tuple[float, float],
    heading: Label,
    path: str | os.PathLike[str] | None,
    dpi: int,
) -> Axes:
    need("matplotlib", extra="plot", purpose="A picture for print")
    wanted = paper.format_of(path)
    log, words = IssueLog(), paper.Words()
    with words.look():
        ax = paper.new_axes(size, is_kept=path is None)
        draw(ax, words)
        ax.grid(color="#e5e7eb", linewidth=0.7)
        ax.set_axisbelow(True)
        ax.tick_params(colors=INK, labelsize=NORMAL, length=3)
        for side, spine in ax.spines.items():
            spine.set(visible=side in ("left", "bottom"), color=LINE, linewidth=0.8)
        ax.set_title(
            words.heading(heading),
            loc="left",
            fontsize=LARGE,
            fontweight="bold",
            color=INK,
            parse_math=False,
            pad=10,
        )
        words.note(log)
        if path is not None:
            paper.write(ax, Path(path), wanted, dpi)
    log.announce()
    return ax


def _percent(ax: Axes, words: paper.Words, axis: str, label: Label) -> None:
    """Make an axis one of 0 to 100 %."""
    ax.set(
        **{f"{axis}lim": (0, 100), f"{axis}ticks": PERCENT, f"{axis}ticklabels": [f"{p} %" for p in PERCENT]}
    )
    (ax.set_xlabel if axis == "x" else ax.set_ylabel)(
        words.text(label), fontsize=NORMAL, color=INK, parse_math=False
    )


def _legend(ax: Axes, where: str, *, beside: bool, heading: str | None = None) -> None:
    options: dict[str, Any] = {
        "loc": where, "frameon": False, "fontsize": NORMAL, "labelcolor": INK, "handlelength": 2.6, "title": heading,
        "title_fontsize": NORMAL, "alignment": "left",
    }  # fmt: skip
    if beside:
        options["bbox_to_anchor"] = (1.02, 0.5 if "center" in where else 1.0)
    for text in ax.legend(**options).get_texts():
        text.set_parse_math(False)
