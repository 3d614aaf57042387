"""The 15-minute life circle: how many services people have within reach, which they lack, and where."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from citygeo import datum
from citygeo.viz.classes import DISTINCT, NO_DATA, Classes, people_classes, ramp, share_classes
from citygeo.viz.layers.layer import Entry, Layer, Tips, one_style, placed
from citygeo.viz.layers.people import count_labels
from citygeo.viz.text import (
    MISSING,
    Label,
    facility_names,
    level_label,
    number,
    people,
    percent,
    text_or_dash,
)

if TYPE_CHECKING:
    from collections.abc import Mapping

    import geopandas as gpd

MOST_CLASSES = 6  # with more services, shares of them are coloured
MOST_FIELDS = 6
MOST = 0.5  # a hexagon has a service if at least so many of its people have it


def services_per_cell(cells: gpd.GeoDataFrame, labels: Mapping[str, Label]) -> Layer:
    """
    Return inhabited hexagons by how many services most of their people have.

    Parameters
    ----------
    cells
        Of a completeness: population, score, n_services, lacks, all_share and for each service ``{service}_share``.
    labels
        Label of each service.
    """
    rows = placed(cells[cells["population"] > 0], "cells")
    many = len(labels)
    is_counted = many <= MOST_CLASSES
    if is_counted:
        colours = ramp("share", many + 2)[1:]  # the palest would not stand off the paper
        class_of = rows["n_services"].to_numpy(np.int64)
        names = [Label(f"{n} of {many}") for n in range(many + 1)]
    else:
        classes = share_classes()
        colours, class_of = classes.colours, classes.of(rows["score"])
        names = [Label(f"{100 * low:.0f} – {100 * high:.0f} % of {many}") for low, high in classes.ranges()]
    cell_counts = np.bincount(class_of, minlength=len(colours))
    totals = np.bincount(class_of, rows["population"], minlength=len(colours))
    fields = (
        Label("Lacking", "缺少"),
        Label("People", "人口"),
        Label("With all", "齐全者"),
        *[labels[name] for name in [*labels][: MOST_FIELDS - 4]],
        Label("H3 cell", "格网编号"),
    )
    named = [f"{name}_share" for name in [*labels][: MOST_FIELDS - 4]]
    texts = [
        [
            f"{number(n)} of {many} services 类服务", lacks or MISSING, people(lives), percent(has_all),
            *[percent(value) for value in shares], str(cell),
        ]
        for cell, n, lacks, lives, has_all, shares in zip(
            rows.index, rows["n_services"], _lacking(rows, labels), rows["population"], rows["all_share"],
            rows[named].to_numpy(), strict=True,
        )
    ]  # fmt: skip
    style = {"color": "#ffffff", "weight": 0.4, "opacity": 0.7, "fillOpacity": 0.82}
    return Layer(
        key="services",
        name=Label("Services within reach", "可达服务"),
        kind="areas",
        shapes=rows.geometry.to_numpy(),
        styles=tuple(style | {"fillColor": colour} for colour in colours),
        style_of=class_of,
        unit=Label(
            "services that most people of the hexagon have; at right: hexagons · people",
            "格网内多数人可达的服务;右侧:格网数·人数",
        ),
        legend=tuple(
            Entry(place, names[place], f"{number(cell_counts[place])} ⬡ · {people(totals[place])}")
            for place in reversed(range(len(colours)))
            if cell_counts[place]
        ),
        tips=Tips(fields, texts),
    )


def _lacking(rows: gpd.GeoDataFrame, labels: Mapping[str, Label]) -> list[str]:
    """Return what most people of each cell lack, in words."""
    lacks = rows[[f"{name}_share" for name in labels]].to_numpy() < MOST
    return [
        "; ".join(str(label) for label, is_out in zip(labels.values(), row, strict=True) if is_out)
        for row in lacks
    ]


def without_service(cells: gpd.GeoDataFrame, service: str, label: Label) -> Layer:
    """Return hexagons by how many of their people lack a service; off at start."""
    lacking = cells["population"] * (1 - cells[f"{service}_share"])
    rows = placed(cells.assign(_lacking=lacking)[lacking > 0], "cells")
    classes = people_classes(rows["_lacking"])
    class_of = classes.of(rows["_lacking"])
    counts = np.bincount(class_of, minlength=len(classes.colours))
    totals = np.bincount(class_of, rows["_lacking"], minlength=len(classes.colours))
    fields = (Label("People", "人口"), Label("Share with it", "可达比例"))
    texts = [
        [f"{people(lacks)} without 无 {label}", people(lives), percent(has)]
        for lacks, lives, has in zip(
            rows["_lacking"], rows["population"], rows[f"{service}_share"], strict=True
        )
    ]
    style = {"color": "#ffffff", "weight": 0.4, "opacity": 0.7, "fillOpacity": 0.8}
    return Layer(
        key=f"without-{service}",
        name=Label(f"People without: {label.en}", f"无可达{label.zh or label.en}的人口"),
        kind="areas",
        shapes=rows.geometry.to_numpy(),
        styles=tuple(style | {"fillColor": colour} for colour in classes.colours),
        style_of=class_of,
        unit=Label("people without it; at right: hexagons · people", "不可达人数;右侧:格网数·人数"),
        legend=tuple(
            Entry(place, text, f"{number(counts[place])} ⬡ · {people(totals[place])}")
            for place, text in enumerate(count_labels(classes))
            if counts[place]
        ),
        tips=Tips(fields, texts),
        is_shown=False,
    )


def complete_zones(zones: gpd.GeoDataFrame, level: str) -> Layer:
    """Return zones coloured by the share of their people that has every service; off at start."""
    rows, label = placed(zones, "zones"), level_label(level)
    classes: Classes = share_classes()
    missing = len(classes.colours)
    found = classes.of(rows["all_share"])
    class_of = np.where(found < 0, missing, found)
    fields = (
        Label("With every service", "服务齐全"),
        Label("People with every service", "服务齐全人数"),
        Label("People", "人口"),
        Label("Score", "得分"),
    )
    texts = [
        [
            text_or_dash(row.name_), percent(row.all_share), people(row.all_covered), people(row.population),
            number(row.score, 2),
        ]
        for row in rows.rename(columns={"name": "name_"}).itertuples()
    ]  # fmt: skip
    counts = np.bincount(class_of, minlength=missing + 1)
    legend = [
        Entry(place, Label(f"{100 * low:.0f} – {100 * high:.0f} %"), number(int(counts[place])))
        for place, (low, high) in enumerate(classes.ranges())
        if counts[place]
    ]
    if counts[missing]:
        legend.append(Entry(missing, Label("nobody lives there", "无人口"), number(int(counts[missing]))))
    line = {"color": "#ffffff", "weight": 1, "opacity": 1, "fillOpacity": 0.8}
    return Layer(
        key=f"complete-{level}",
        name=Label(f"With every service: {label.en}", f"{label.zh}服务齐全比例"),
        kind="areas",
        shapes=rows.geometry.simplify(5e-5).to_numpy(),
        styles=tuple(line | {"fillColor": colour} for colour in (*classes.colours, NO_DATA)),
        style_of=class_of if len(rows) else one_style(rows),
        unit=Label(
            f"share of people per {label.en} with every service; at right: zones",
            "服务齐全人口比例;右侧:分区数",
        ),
        legend=tuple(legend),
        tips=Tips(fields, texts),
        is_shown=False,
    )


def places_of(service: str, layer: gpd.GeoDataFrame, label: Label, number_: int) -> Layer:
    """Return the facilities of a service as dots of its own colour; off at start."""
    rows = placed(layer, "facilities")
    names = facility_names(rows)
    colour = DISTINCT[number_ % len(DISTINCT)]
    style = {
        "color": "#ffffff",
        "weight": 1,
        "opacity": 1,
        "fillColor": colour,
        "fillOpacity": 1,
        "radius": 4.5,
    }
    return Layer(
        key=f"places-{service}",
        name=label,
        kind="points",
        shapes=datum.representative_points(rows),
        styles=(style,),
        style_of=one_style(rows),
        legend=(Entry(0, label, number(len(rows))),),
        tips=Tips((), [[names[place]] for place in rows.index]),
        is_shown=False,
    )
