"""What a network report found: streets outside the main part, odd streets, dead ends, suspicious places."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd
import shapely

from citygeo.viz.layers.context import simplify
from citygeo.viz.layers.layer import Entry, Layer, Tips, one_style, placed
from citygeo.viz.text import MISSING, Label, number

if TYPE_CHECKING:
    from collections.abc import Mapping

    import geopandas as gpd

    from citygeo.issues import IssueLog
    from citygeo.network.report.examine import Problem

MAX_POINTS = 20_000  # more points with tooltips would make the page too big
# problem -> colour; lightness differs too, for grey printers and colour-blind readers
COLOURS = {
    "apart": "#6d28d9", "trap": "#c81e4a", "source": "#e08a1e", "undershoot": "#0f172a", "duplicate": "#0e7490",
    "overlap": "#38a3b8", "zero_length": "#57534e", "fast": "#1d4ed8", "slow": "#86a8f0", "unsnapped": "#c81e4a",
}  # fmt: skip
FILLS = {"undershoot": "#fde047", "zero_length": "#ffffff"}
LINKS = ("apart", "source", "trap")
ODD = ("slow", "fast", "overlap", "duplicate")  # later ones are drawn over earlier ones
# of points, big ones below small ones
DRAWN = (*LINKS, "zero_length", "duplicate", "overlap", "slow", "fast", "undershoot")
LONG_KM = 1.0
RANKED = 5  # so many places carry their rank on the map
SPEEDS = (
    (False, Label("From a sign, tag or source", "有限速或给定值"), "#94a9c9"),
    (True, Label("Assumed from the class", "按道路等级推定"), "#d9622c"),
)


def value_text(value: float, unit: str) -> str:
    """
    Return the value of a place; short streets in metres.

    Examples
    --------
    >>> value_text(38.52, "km"), value_text(0.0961, "km"), value_text(3.04, "m"), value_text(80.2, "km/h")
    ('38.5 km', '96 m', '3.0 m', '80 km/h')
    """
    if unit == "km" and value < 1:
        return f"{number(1000 * value)} m"
    return f"{number(value, 0 if unit == 'km/h' else 1)} {unit}"


def assumed_speeds(edges: gpd.GeoDataFrame, log: IssueLog) -> Layer:
    """
    Return streets by whether their speed is assumed; off at start.

    Parameters
    ----------
    edges
        is_imputed, link, length_m; those that are closed are left out.
    log
        Told (CG-MAP-001) how many lines were simplified.
    """
    rows = placed(edges[edges["link"] != "closed"], "edges")
    simple, tolerance_m = simplify(rows.geometry.to_numpy())
    log.add("CG-MAP-001", count=len(rows), layer=f"Speeds 速度 (to {tolerance_m:g} m)")
    is_imputed, km = rows["is_imputed"].to_numpy(bool), rows["length_m"].to_numpy() / 1000
    kinds = [kind for kind in SPEEDS if (is_imputed == kind[0]).any()]
    return Layer(
        key="assumed-speeds",
        name=Label("Assumed speeds", "推定的速度"),
        kind="lines",
        shapes=np.array(
            [shapely.multilinestrings(simple[is_imputed == which]) for which, _, _ in kinds], object
        ),
        styles=tuple({"color": colour, "weight": 1.4, "opacity": 1, "grow": True} for _, _, colour in kinds),
        style_of=np.arange(len(kinds)),
        unit=Label("where the speed of a street comes from", "道路速度的来源"),
        legend=tuple(
            Entry(row, label, f"{number(km[is_imputed == which].sum())} km")
            for row, (which, label, _) in enumerate(kinds)
        ),
        is_shown=False,
    )


def outside_streets(
    edges: gpd.GeoDataFrame, places: gpd.GeoDataFrame, problems: Mapping[str, Problem]
) -> Layer:
    """
    Return the streets outside the main part, one feature for each place.

    Parameters
    ----------
    edges
        link, place (row of `places`), length_m.
    places
        As the places of a report.
    problems
        What the words of problems mean.
    """
    rows = placed(edges[edges["place"].notna()], "edges")
    by_place = rows.groupby(rows["place"].to_numpy(np.int64)).indices
    first = longest_first(places)  # so that no short piece hides under a long one
    lines = rows.geometry.to_numpy()
    present = [link for link in LINKS if (first["problem"] == link).any()]
    km = first.groupby("problem")["value"].sum()
    return Layer(
        key="outside-streets",
        name=Label("Streets outside the main part", "主体之外的道路"),
        kind="lines",
        shapes=np.array([shapely.multilinestrings(lines[by_place[place]]) for place in first.index], object),
        unit=Label("length by how they are linked", "按连通方式统计长度"),
        styles=tuple({"color": COLOURS[link], "weight": 2.2, "opacity": 1, "grow": True} for link in present),
        style_of=np.array([present.index(problem) for problem in first["problem"]], np.int64),
        legend=tuple(
            Entry(row, meaning(problems[link]), value_text(km[link], "km")) for row, link in enumerate(present)
        ),
        tips=_tips(first, problems),
    )  # fmt: skip


def longest_first(places: gpd.GeoDataFrame) -> gpd.GeoDataFrame:
    """Return the places outside the main part, those with most streets first."""
    outside = places[places["problem"].isin(LINKS)]
    return outside.sort_values("value", ascending=False, kind="stable")


def place_ranks(places: gpd.GeoDataFrame, problems: Mapping[str, Problem]) -> Layer:
    """Return the ranks of the places with most streets outside the main part as labels."""
    rows = placed(longest_first(places).head(RANKED), "places")
    return Layer(
        key="place-ranks",
        name=Label("Ranks of streets to look at", "优先核查序号"),
        kind="labels",
        shapes=rows.geometry.to_numpy(),
        styles=({"badge": True},),
        style_of=one_style(rows),
        tips=_tips(rows, problems),
        texts=[str(rank + 1) for rank in range(len(rows))],
    )


def odd_streets(edges: gpd.GeoDataFrame, problems: Mapping[str, Problem]) -> Layer:
    """
    Return streets that are drawn twice or have an odd speed.

    Parameters
    ----------
    edges
        problems (words, separated by commas), way_id, highway, name, length_m, kmh_along, kmh_against.
    problems
        What these words mean.
    """
    has = np.column_stack(
        [edges["problems"].str.split(", ").map(lambda words, kind=kind: kind in words) for kind in ODD]
    )
    rank = np.where(has.any(axis=1), len(ODD) - 1 - has[:, ::-1].argmax(axis=1), -1)
    rows = placed(edges.assign(rank=rank)[rank >= 0], "edges").sort_values("rank", kind="stable")
    present = sorted(rows["rank"].unique())
    kinds = [ODD[place] for place in present]
    fields = (
        Label("Findings", "问题"),
        Label("Class", "道路等级"),
        Label("Length", "长度"),
        Label("Speed", "速度"),
        Label("Way", "道路编号"),
    )
    texts = [
        [
            _street(row.name_, row.highway),
            "; ".join(str(meaning(problems[word])) for word in row.problems.split(", ") if word in ODD),
            row.highway, f"{number(row.length_m, 1)} m", _kmh(row.kmh_along, row.kmh_against), str(row.way_id),
        ]
        for row in rows.rename(columns={"name": "name_"}).itertuples()
    ]  # fmt: skip
    style_of = np.array([present.index(place) for place in rows["rank"]], np.int64)
    return Layer(
        key="odd-streets",
        name=Label("Streets with a finding", "有问题的路段"),
        kind="lines",
        shapes=rows.geometry.to_numpy(),
        styles=tuple({"color": COLOURS[kind], "weight": 2.6, "opacity": 1, "grow": True} for kind in kinds),
        style_of=style_of,
        legend=tuple(
            Entry(row, meaning(problems[kind]), number(int((style_of == row).sum())))
            for row, kind in enumerate(kinds)
        ),
        tips=Tips(fields, texts),
    )


def dead_ends(ends: gpd.GeoDataFrame) -> Layer:
    """
    Return all dead ends; off at start.

    Parameters
    ----------
    ends
        node, way_id, highway, name.
    """
    rows = placed(ends, "dead ends")
    fields = (Label("Class", "道路等级"), Label("Node", "节点编号"), Label("Way", "道路编号"))
    texts = [
        [f"Dead end 断头路: {_street(row.name_, row.highway)}", row.highway, str(row.node), str(row.way_id)]
        for row in rows.rename(columns={"name": "name_"}).itertuples()
    ]
    style = {"color": "#44403c", "weight": 1, "radius": 2.6, "fillColor": "#a8a29e", "fillOpacity": 0.9}
    name = Label("Dead ends", "断头路端点")
    return Layer(
        key="dead-ends",
        name=name,
        kind="points",
        shapes=rows.geometry.to_numpy(),
        styles=(style,),
        style_of=one_style(rows),
        legend=(Entry(0, name, number(len(rows))),),
        tips=Tips(fields, texts) if len(rows) <= MAX_POINTS else None,
        is_shown=False,
    )


def problem_places(places: gpd.GeoDataFrame, problem: str, problems: Mapping[str, Problem]) -> Layer:
    """
    Return the places of one problem as points; those with more than `LONG_KM` of streets are bigger.

    Parameters
    ----------
    places
        As the places of a report.
    problem
        One of its words.
    problems
        What the words mean.
    """
    rows = placed(places[places["problem"] == problem], "places")
    text, is_link = meaning(problems[problem]), problem in LINKS
    is_long = is_link & (rows["value"].to_numpy() >= LONG_KM)
    small = {
        "color": COLOURS[problem] if problem in FILLS else "#ffffff", "weight": 2 if problem in FILLS else 1.2,
        "opacity": 1, "radius": 4.5, "fillColor": FILLS.get(problem, COLOURS[problem]), "fillOpacity": 1,
    }  # fmt: skip
    legend = [Entry(0, text, number(len(rows)))]
    if is_link:
        sizes = (Label("1 km and more", "1公里及以上"), Label("shorter", "较短"))
        many = (int(is_long.sum()), int((~is_long).sum()))
        legend = [
            Entry(1 - row, label, number(n))
            for row, (label, n) in enumerate(zip(sizes, many, strict=True))
            if n
        ]
    return Layer(
        key=f"places-{problem.replace('_', '-')}",
        name=Label(problems[problem].en, problems[problem].zh),
        kind="points",
        shapes=rows.geometry.to_numpy(),
        styles=(small, small | {"radius": 7.5, "weight": 1.8}),
        style_of=is_long.astype(np.int64),
        unit=text if is_link else None,
        legend=tuple(legend),
        tips=_tips(rows, problems) if len(rows) <= MAX_POINTS else None,
    )


def meaning(problem: Problem) -> Label:
    """Return what a problem means, as a label."""
    return Label(problem.meaning, problem.meaning_zh)


def _tips(places: gpd.GeoDataFrame, problems: Mapping[str, Problem]) -> Tips:
    fields = (
        Label("Meaning", "含义"),
        Label("Value", "数值"),
        Label("Street", "道路"),
        Label("Class", "道路等级"),
        Label("Way", "道路编号"),
        Label("Other way", "另一道路"),
        Label("Node", "节点编号"),
    )
    texts = [
        [
            f"{problems[problem].en} {problems[problem].zh}", str(meaning(problems[problem])), value_text(value, unit),
            name or MISSING, highway or MISSING, _id(way), _id(other), _id(node),
        ]
        for problem, value, unit, name, highway, way, other, node in zip(
            places["problem"], places["value"], places["unit"], places["name"], places["highway"], places["way_id"],
            places["other_way_id"], places["node"], strict=True,
        )
    ]  # fmt: skip
    return Tips(fields, texts)


def _street(name: str, highway: str) -> str:
    """Return what a street is called: its name, else its class."""
    return name or highway


def _id(number_: Any) -> str:
    return MISSING if pd.isna(number_) else str(number_)


def _kmh(*speeds: float) -> str:
    """Return the speeds of the open directions, one if they are alike."""
    return " / ".join(dict.fromkeys(f"{number(kmh)} km/h" for kmh in speeds if kmh == kmh))  # noqa: PLR0124 - NaN
