"""What facilities reach: the area, the roads by minute, and the facilities themselves."""

from __future__ import annotations

from itertools import pairwise
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np
import pandas as pd
import shapely
from shapely.ops import substring

from citygeo import datum
from citygeo.viz.classes import ramp
from citygeo.viz.layers.layer import Entry, Layer, Stop, Tips, placed
from citygeo.viz.text import MISSING, REASONS, Label, facility_names, number, travel_time

if TYPE_CHECKING:
    import geopandas as gpd
    from numpy.typing import NDArray

    from citygeo.viz.classes import Classes

# marker symbol by travel mode; templates/symbols.js draws them
SYMBOLS = {"fire_engine": "flame"}


class Word(NamedTuple):
    """What a facility is called: one, and several."""

    one: Label
    many: Label

    @property
    def nearest(self) -> Label:
        """The nearest one."""
        return Label(f"Nearest {self.one.en.lower()}", f"最近{self.one.zh}")


STATION = Word(Label("Station", "站点"), Label("Stations", "站点"))
FACILITY = Word(Label("Facility", "设施"), Label("Facilities", "设施"))


def word_for(mode: str) -> Word:
    """Return what facilities are called that are reached in a travel mode."""
    return STATION if mode == "fire_engine" else FACILITY


def service_area(dissolved: gpd.GeoDataFrame, *, mode: str = "") -> Layer:
    """Return the ground within reach, one row per band; the widest band is drawn first. `mode` as in `facilities`."""
    of = word_for(mode).one.en.lower()
    rows = placed(dissolved, "service area").sort_values("minutes", ascending=False)
    colours = ramp("reach", max(len(rows), 3))[: len(rows)]
    styles = tuple(
        {"color": "#2a74b5", "weight": 1, "opacity": 0.7, "fillColor": colour, "fillOpacity": 0.28}
        for colour in colours
    )
    shapes = shapely.simplify(rows.geometry.to_numpy(), 2e-5)
    notes = [f"{number(value, 1)} km²" for value in rows["area_km2"]]
    labels = [
        Label(f"Within {minutes:g} min of a {of}", f"{minutes:g}分钟内可达") for minutes in rows["minutes"]
    ]
    return Layer(
        key="service-area",
        name=Label("Service area", "服务范围"),
        kind="areas",
        shapes=shapes,
        styles=styles,
        style_of=np.arange(len(rows)),
        legend=tuple(
            Entry(row, label, note) for row, (label, note) in enumerate(zip(labels, notes, strict=True))
        ),
    )


def reached_roads(edges: gpd.GeoDataFrame, classes: Classes, stops: tuple[float, ...] = ()) -> Layer:
    """
    Return reached roads coloured by the minutes it takes to be there, cut exactly where a class ends.

    Parameters
    ----------
    edges
        Reached parts: edge, from_m, to_m, time_from_s, time_to_s (linear between), geometry.
    classes
        Classes of minutes.
    stops
        Minutes at which a time slider stops, the bounds of classes among them; without any there is none.
    """
    rows = placed(fastest(edges), "reached roads")
    bounds = np.array(stops or classes.breaks[1:])
    lines, minutes = split_at(
        rows.geometry.to_numpy(),
        rows[["time_from_s", "time_to_s"]].to_numpy(np.float64) / 60,
        tuple(bounds[:-1]),
    )
    step_of = np.digitize(minutes, bounds[:-1])
    lines = shapely.simplify(lines, 1e-5)
    slowest_first = np.unique(step_of)[::-1]
    class_of = np.searchsorted(classes.breaks[1:-1], bounds[slowest_first])
    present = np.unique(class_of)[::-1]
    return Layer(
        key="reached-roads",
        name=Label("Reached roads", "可达道路"),
        kind="lines",
        shapes=np.array([shapely.multilinestrings(lines[step_of == step]) for step in slowest_first], object),
        styles=tuple(
            {"color": classes.colours[c], "weight": 1.7, "opacity": 1, "grow": True} for c in present
        ),
        style_of=np.searchsorted(-present, -class_of),
        unit=Label("minutes, any delay before setting out included", "分钟,含出动时间"),
        legend=tuple(
            Entry(row, minute_label(*classes.ranges()[c])) for row, c in reversed([*enumerate(present)])
        ),
        since=bounds[slowest_first] if stops else None,
        stops=tuple(Stop(stop) for stop in stops),
    )


def minute_label(lower: float, upper: float) -> Label:
    """Return the label of a class of minutes."""
    return Label(f"{lower:g} – {upper:g} min")


def fastest(edges: gpd.GeoDataFrame) -> gpd.GeoDataFrame:
    """Return reached parts without those that another facility reaches sooner at both ends."""
    order = edges.sort_values(["edge", "from_m", "to_m", "time_from_s", "time_to_s"], kind="stable")
    best_before = order.groupby(["edge", "from_m", "to_m"])["time_to_s"].cummin()
    is_first = ~order.duplicated(["edge", "from_m", "to_m"])
    return order[is_first | (order["time_to_s"] < best_before.shift())]


def split_at(
    lines: NDArray[np.object_], values: NDArray[np.float64], breaks: tuple[float, ...]
) -> tuple[NDArray[np.object_], NDArray[np.float64]]:
    """
    Cut lines where a value that runs linearly from end to end meets a break.

    Parameters
    ----------
    lines
        Lines, shape ``(n,)``.
    values
        Value at the start and end of each, shape ``(n, 2)``.
    breaks
        Where to cut.

    Returns
    -------
    The pieces, and the value in the middle of each.
    """
    low, high = values.min(axis=1), values.max(axis=1)
    crosses = np.zeros(len(lines), bool)
    for cut in breaks:
        crosses |= (low < cut) & (cut < high)
    pieces, middles = [*lines[~crosses]], [*values[~crosses].mean(axis=1)]
    for line, (start, end) in zip(lines[crosses], values[crosses], strict=True):
        inside = [cut for cut in breaks if min(start, end) < cut < max(start, end)]
        shares = [0.0, *sorted((cut - start) / (end - start) for cut in inside), 1.0]
        for lower, upper in pairwise(shares):
            pieces.append(substring(line, lower, upper, normalized=True))
            middles.append(start + (end - start) * (lower + upper) / 2)
    kept = [piece.geom_type == "LineString" for piece in pieces]  # a piece of no length is a point
    return np.array(pieces, object)[kept], np.array(middles, np.float64)[kept]


def facilities(
    layer: gpd.GeoDataFrame, snaps: pd.DataFrame, polygons: pd.DataFrame, *, mode: str = ""
) -> Layer:
    """
    Return the facilities as markers; those off the network are grey and say why.

    Parameters
    ----------
    layer
        The caller's facilities.
    snaps
        On the same index: status, snap_distance_m, delay_s.
    polygons
        One row per facility of the widest band: facility, area_km2, reached_km.
    mode
        Name of the travel mode, which chooses the symbol.
    """
    rows = placed(layer, "facilities")
    names, found = facility_names(layer), snaps.loc[rows.index]
    is_on = (found["status"] == "ok").to_numpy()
    reach = polygons.drop_duplicates("facility").set_index("facility")[["reached_km", "area_km2"]]
    reach = reach.reindex(rows.index)
    delay = found["delay_s"] if "delay_s" in found else pd.Series(np.nan, index=found.index)
    fields = (
        Label("Status", "状态"),
        Label("Distance to the road", "离路距离"),
        Label("Turnout time", "出动时间"),
        Label("Road reached", "可达道路"),
        Label("Area reached", "可达面积"),
    )
    texts = [
        [names[label], str(REASONS.get(status, Label(str(status)))), _unit(gap, 0, "m"), travel_time(wait), km, km2]
        for label, status, gap, wait, km, km2 in zip(
            rows.index, found["status"], found["snap_distance_m"], delay,
            (_unit(value, 1, "km") for value in reach["reached_km"]),
            (_unit(value, 1, "km²") for value in reach["area_km2"]), strict=True,
        )
    ]  # fmt: skip
    symbol = SYMBOLS.get(mode, "dot")
    styles = ({"symbol": symbol, "color": "#111827"}, {"symbol": symbol, "color": "#9ca3af"})
    one, many = word_for(mode)
    legend = [Entry(0, one, number(int(is_on.sum())))]
    if not is_on.all():
        off = Label(f"{one.en} off the network", f"未接入路网的{one.zh}")
        legend.append(Entry(1, off, number(int((~is_on).sum()))))
    return Layer(
        key="facilities",
        name=many,
        kind="sites",
        shapes=datum.representative_points(rows),
        styles=styles,
        style_of=np.where(is_on, 0, 1),
        legend=tuple(legend),
        tips=Tips(fields, texts),
    )


def _unit(value: Any, digits: int, unit: str) -> str:
    return MISSING if pd.isna(value) else f"{number(value, digits)} {unit}"
