"""The report as text for a terminal and a notebook, English and Chinese side by side."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

from citygeo.io.columns import clean, table
from citygeo.network.report.examine import PROBLEMS

if TYPE_CHECKING:
    from collections.abc import Iterable

    from citygeo.network.report import NetworkReport

WIDEST = 64
WORST_OF_EACH = 3  # of one problem
CLASSES = 8
TOPICS = {
    "size": "Size 规模",
    "connection": "Connection 连通性",
    "ends": "Ends 端点",
    "drawing": "Drawing 绘制",
    "speed": "Speeds 速度",
    "rules": "Rules of the road 通行规则",
    "points": "Given points 给定的点",
}
VERDICTS = {"ok": "ok 正常", "look": "look 留意", "bad": "bad 较差", "": ""}
NOTE = (
    "Limits (look above / bad above) are citygeo's own 判定界限(留意/较差)为citygeo自定. "
    "At the edge of an extract, traps and islands are normal 数据边缘出现陷阱与孤岛属正常."
)


def figure_text(value: float, unit: str) -> str:
    """
    Return a figure as a planner reads it.

    Examples
    --------
    >>> figure_text(1234, ""), figure_text(12.345, "km"), figure_text(0.0123, "%"), figure_text(float("nan"), "m")
    ('1,234', '12.3', '0.012', '–')
    """
    if math.isnan(value):
        return "–"
    if not unit:
        return f"{value:,.0f}"
    return f"{value:,.1f}" if value == 0 or abs(value) >= 1 else f"{value:.2g}"


def as_text(report: NetworkReport) -> str:
    """Return the report as aligned text."""
    parts = [_title(report), _figures(report), _speeds(report), _worst(report), NOTE]
    return "\n\n".join(part for part in parts if part)


def _title(report: NetworkReport) -> str:
    mode = report.network.mode
    source = clean(report.network.source["name"])
    return f"Fitness of the road network 路网体检: {source}, {clean(mode.label_en)} {clean(mode.label_zh)}"


def _rows(report: NetworkReport) -> Iterable[tuple[str, list[str]]]:
    """Return topic and cells of each figure."""
    figures: Any = report.table.itertuples()
    for row in figures:
        is_judged = not math.isnan(row.look_above)
        limits = f"{row.look_above:g} / {row.bad_above:g}" if is_judged else ""
        name = f"{row.meaning} {row.meaning_zh}"
        yield row.topic, [VERDICTS[row.verdict], name, figure_text(row.value, row.unit), row.unit, limits]


def _figures(report: NetworkReport) -> str:
    rows = list(_rows(report))
    headings = ["Verdict 判定", "Figure 指标", "Value 数值", "Unit 单位", "Limits 界限"]
    head, rule, *lines = table(headings, [cells for _, cells in rows], left=2, widest=WIDEST).split("\n")
    text, before = [head, rule], ""
    for (topic, _), line in zip(rows, lines, strict=True):
        if topic != before:
            text.append(TOPICS[topic])
        text.append(line)
        before = topic
    return "\n".join(text)


def _speeds(report: NetworkReport) -> str:
    shown = report.speeds.head(CLASSES)
    classes: Any = shown.itertuples()
    rows = [
        [row.Index, f"{row.km:,.1f}", f"{100 * row.imputed_share:.0f} %", f"{row.mean_kmh:.0f}"]
        for row in classes
    ]
    headings = ["Class 道路等级", "Length 长度 km", "Assumed speed 推定", "Mean 平均 km/h"]
    rest = len(report.speeds) - len(shown)
    more = f"\n... and {rest} more classes 其余 {rest} 个等级未列出" if rest else ""
    return table(headings, rows) + more


def _worst(report: NetworkReport) -> str:
    """Return the first places of each problem, with where they are."""
    if report.places.empty:
        return "No suspicious places 未发现可疑之处"
    first: Any = report.places.groupby("problem", sort=False).head(WORST_OF_EACH)
    rows = [
        [
            f"{PROBLEMS[row.problem].en} {PROBLEMS[row.problem].zh}",
            f"{figure_text(row.value, row.unit)} {row.unit}",
            "–" if row.problem == "unsnapped" else str(row.way_id),
            f"{row.geometry.y:.5f}, {row.geometry.x:.5f}",
        ]
        for row in first.itertuples()
    ]
    title = f"{len(rows)} of {len(report.places)} places to look at 可疑之处"
    return f"{title}\n{table(['Problem 问题', 'Value 数值', 'Way 道路', 'Lat, lon 纬度,经度'], rows, widest=WIDEST)}"


def as_html(report: NetworkReport) -> str:
    """Return the figures as an HTML table."""
    import pandas as pd

    columns = ["Verdict 判定", "Figure 指标", "Value 数值", "Unit 单位", "Limits 界限"]
    cells = pd.DataFrame([row for _, row in _rows(report)], columns=columns)
    return cells.to_html(index=False, escape=True, border=0)
