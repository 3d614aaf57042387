"""Isochrones as a picture for print: PNG, SVG or PDF by matplotlib, from the same layers as the map."""

from __future__ import annotations

import math
import warnings
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import pyproj
import shapely

from citygeo import datum
from citygeo._optional import need
from citygeo.issues import IssueLog
from citygeo.provenance import OSM_ATTRIBUTION
from citygeo.viz import paper
from citygeo.viz.classes import INK, LINE
from citygeo.viz.furniture import footnote, length_text, nice_length, north_arrow, north_step, scale_bar
from citygeo.viz.paper import LARGE, NORMAL
from citygeo.viz.results import layers_and_panel
from citygeo.viz.text import Label

if TYPE_CHECKING:
    import os
    from collections.abc import Sequence

    from matplotlib.axes import Axes
    from numpy.typing import NDArray

    from citygeo.viz.layers.layer import Entry, Layer
    from citygeo.viz.panel import Panel

MAX_NAMED = 12  # more facilities stand without their names
MARGIN = 0.03  # around what is reached, as a share of its longer side
MAX_CORNERS = 50_000  # lines with more are drawn as pixels in SVG and PDF too
WIDTH_IN, HEIGHTS_IN = 7.0, (3.5, 9.0)  # of the map itself
BACKGROUND, PAPER = "roads", "#f7f8f8"


def plot(
    iso: Any,
    *,
    ax: Axes | None = None,
    path: str | os.PathLike[str] | None = None,
    title: str | tuple[str, str] | None = None,
    dpi: int = 200,
) -> Axes:
    """
    Draw isochrones for print: bands, roads, facilities, legend, scale bar, north arrow and sources.

    Parameters
    ----------
    iso
        `Isochrones` of polygons, edges or cells.
    ax
        Axes to draw on. Default: those of a new figure.
    path
        A ``.png``, ``.svg`` or ``.pdf`` to write, whole or not at all.
    title
        Heading instead of the result's own.
    dpi
        Pixels per inch of a ``.png``.

    Returns
    -------
    The axes, in the network's metric CRS.

    Raises
    ------
    MissingExtraError
        CG-DEP-001 if matplotlib is not installed: ``pip install "citygeo[plot]"``.
    FileError
        CG-FILE-012 if the file cannot be written.

    Warns
    -----
    CitygeoWarning
        CG-FONT-001 if Chinese text is drawn and no font for it is found.

    Examples
    --------
    >>> import citygeo as cg
    >>> city = cg.datasets.reykjavik()
    >>> iso = cg.isochrones(city.network("walk"), city.stations, minutes=[5, 10], direction="from")
    >>> plot(iso).get_title(loc="left").splitlines()[0]
    'Walking: isochrones of 5, 10 minutes'
    """
    need("matplotlib", extra="plot", purpose="A picture for print")
    wanted = paper.format_of(path)
    log = IssueLog()
    layers, panel = layers_and_panel(iso, log)
    heading = paper.heading_of(title, panel.title if panel else Label(""))
    picture = _Picture(iso.network.metric_crs, [layer for layer in layers if layer.is_shown])
    with picture.words.look():
        drawn_on = ax if ax is not None else paper.new_axes(_size(picture.extent), is_kept=path is None)
        picture.draw(drawn_on, heading, _footnotes(iso, panel))
        picture.words.note(log)
        if path is not None:
            paper.write(drawn_on, Path(path), wanted, dpi)
    log.announce()
    return drawn_on


def _footnotes(iso: Any, panel: Panel | None) -> list[tuple[Label, str]]:
    """Return what counts as reached, and the sources; each a text in both languages and one that has only one."""
    parts = (iso.network.source.get("name", ""), iso.provenance.get("attribution", OSM_ATTRIBUTION))
    rules = [(note, "") for note in panel.notes[:1]] if panel and iso.kind == "polygons" else []
    return [*rules, (Label("Road network", "路网"), " · ".join(part for part in parts if part))]


def _size(extent: tuple[float, float, float, float]) -> tuple[float, float]:
    """Return width and height of the sheet in inches."""
    west, south, east, north = extent
    return WIDTH_IN + 3, float(np.clip(WIDTH_IN * (north - south) / (east - west), *HEIGHTS_IN)) + 1.2


class _Picture:
    """Layers on axes in a metric CRS."""

    def __init__(self, crs: pyproj.CRS, layers: list[Layer]) -> None:
        self.words = paper.Words()
        self.crs = crs
        to_metric: Any = pyproj.Transformer.from_crs(datum.WGS84, crs, always_xy=True).transform
        self.layers = [
            (layer, shapely.transform(layer.shapes, to_metric, interleaved=False)) for layer in layers
        ]
        self.extent = self._extent()

    def _extent(self) -> tuple[float, float, float, float]:
        """Return west, south, east, north of all but the background, with a margin."""
        inner = [shapes for layer, shapes in self.layers if layer.key != BACKGROUND and len(shapes)]
        west, south, east, north = shapely.total_bounds(np.concatenate(inner or [self.layers[0][1]]))
        margin = max(MARGIN * max(east - west, north - south), 100.0)
        return west - margin, south - margin, east + margin, north + margin

    def draw(self, ax: Axes, heading: Label, footnotes: Sequence[tuple[Label, str]]) -> None:
        """Draw everything."""
        west, south, east, north = self.extent
        ax.set(xlim=(west, east), ylim=(south, north), aspect="equal", xticks=[], yticks=[], facecolor=PAPER)
        for spine in ax.spines.values():
            spine.set(color=LINE, linewidth=0.6)
        for place, (layer, shapes) in enumerate(self.layers):
            if layer.kind == "sites":
                self._sites(ax, layer, shapes, place)
            else:
                self._shapes(ax, layer, shapes, place)
        ax.set_title(
            self.words.heading(heading),
            loc="left",
            fontsize=LARGE,
            fontweight="bold",
            color=INK,
            parse_math=False,
        )
        self._legend(ax)
        self._furniture(ax, footnotes)
        self._names(ax)

    def _shapes(self, ax: Axes, layer: Layer, shapes: NDArray[np.object_], place: int) -> None:
        from matplotlib.collections import PathCollection

        is_line = layer.kind in ("lines", "outlines")
        if is_line:
            shapes = shapely.clip_by_rect(shapes, *self.extent)
        width = 0.35 if layer.key == BACKGROUND else 0.5  # of that on the screen
        looks = [_look(layer.styles[style], width, is_filled=not is_line) for style in layer.style_of]
        drawn = [
            (_path(shape), look) for shape, look in zip(shapes, looks, strict=True) if not shape.is_empty
        ]
        collection = PathCollection(
            [path for path, _ in drawn],
            facecolors=[look["facecolor"] for _, look in drawn],
            edgecolors=[look["edgecolor"] for _, look in drawn],
            linewidths=[look["linewidth"] for _, look in drawn],
            zorder=1 + place / 100,
            rasterized=bool(shapely.get_num_coordinates(shapes).sum() > MAX_CORNERS),
        )
        ax.add_collection(collection, autolim=False)

    def _sites(self, ax: Axes, layer: Layer, shapes: NDArray[np.object_], place: int) -> None:
        colours = [layer.styles[style]["color"] for style in layer.style_of]
        x, y = shapely.get_coordinates(shapes).T
        ax.scatter(x, y, s=42, c=colours, edgecolors="white", linewidths=1.1, zorder=2 + place / 100)

    def _legend(self, ax: Axes) -> None:
        """Put the legend right of the map, where it covers nothing."""
        from matplotlib.lines import Line2D

        handles, texts = [], []
        headings: list[int] = []
        for layer, _ in reversed(self.layers):
            if not layer.legend:
                continue
            handles.append(Line2D([], [], linestyle="none"))
            texts.append(("\n" if headings else "") + self.words.text(layer.name))  # a gap between layers
            headings.append(len(texts) - 1)
            for entry in layer.legend:
                handles.append(_handle(layer, entry))
                texts.append(self.words.text(entry.label, "" if layer.key == BACKGROUND else entry.note))
        legend = ax.legend(
            handles, [f" {text}" if text.startswith("_") else text for text in texts],  # "_" would hide it
            loc="upper left", bbox_to_anchor=(1.01, 1.0), borderaxespad=0, frameon=False, fontsize=NORMAL,
            labelcolor=INK, handlelength=1.8, handleheight=1.0, labelspacing=0.45,
        )  # fmt: skip
        for place, text in enumerate(legend.get_texts()):
            text.set_parse_math(False)
            if place in headings:
                text.set_fontweight("bold")

    def _furniture(self, ax: Axes, footnotes: Sequence[tuple[Label, str]]) -> None:
        """Put scale bar, north arrow and footnotes under the map."""
        west, south, east, north = self.extent
        step_x, step_y = north_step(self.crs, (west + east) / 2, (south + north) / 2)
        units = math.hypot(step_x, step_y)  # of the map, for a metre on the ground
        metres = nice_length(0.28 * (east - west) / units)
        scale_bar(ax, west, metres, units, self.words.text(Label(length_text(metres))))
        north_arrow(ax, math.atan2(step_x, step_y))
        for row, note in enumerate(footnotes):
            footnote(ax, row, self.words.text(*note))

    def _names(self, ax: Axes) -> None:
        """Write the names of few facilities beside them, those that fit."""
        from matplotlib import patheffects

        sites = [(layer, shapes) for layer, shapes in self.layers if layer.kind == "sites" and layer.tips]
        if sum(len(shapes) for _, shapes in sites) > MAX_NAMED:
            return
        figure: Any = ax.figure
        halo = [patheffects.withStroke(linewidth=2.8, foreground="white")]
        points, names = [], []
        for layer, shapes in sites:
            points += [*shapely.get_coordinates(shapes)]
            names += [self.words.text(Label(row[0])) for row in layer.tips.rows] if layer.tips else []
        with warnings.catch_warnings():
            warnings.filterwarnings("ignore", r"Glyph \d+ .*missing from", UserWarning)
            figure.draw_without_rendering()  # the layout settles where things stand
            taken = [ax.transData.transform(point) for point in points]
            boxes = [(x - 6, y - 6, x + 6, y + 6) for x, y in taken]
            for point, name in zip(points, names, strict=True):
                text = ax.annotate(
                    name, point, (0, 0), textcoords="offset points", fontsize=NORMAL, color=INK, zorder=5,
                    path_effects=halo, parse_math=False,
                )  # fmt: skip
                if not _settle(text, ax, boxes):
                    text.remove()


def _settle(text: Any, ax: Axes, boxes: list[tuple[float, float, float, float]]) -> bool:
    """Put a name right, left, above or below its point, where it covers nothing; tell whether there was room."""
    frame = ax.get_window_extent()
    for offset, across, up in (
        ((7, 0), "left", "center"),
        ((-7, 0), "right", "center"),
        ((0, 7), "center", "bottom"),
        ((0, -7), "center", "top"),
    ):
        text.set(position=offset, ha=across, va=up)
        box = text.get_window_extent()
        is_inside = frame.x0 <= box.x0 and box.x1 <= frame.x1 and frame.y0 <= box.y0 and box.y1 <= frame.y1
        hits = any(box.x0 < b[2] and b[0] < box.x1 and box.y0 < b[3] and b[1] < box.y1 for b in boxes)
        if is_inside and not hits:
            boxes.append((box.x0, box.y0, box.x1, box.y1))
            return True
    return False


def _look(style: dict[str, Any], width: float = 0.5, *, is_filled: bool) -> dict[str, Any]:
    """Return a style of the map as one of matplotlib; lines are thinner on paper."""
    from matplotlib.colors import to_rgba

    return {
        "facecolor": to_rgba(style["fillColor"], style["fillOpacity"]) if is_filled else (0, 0, 0, 0),
        "edgecolor": to_rgba(style["color"], style.get("opacity", 1)),
        "linewidth": width * style["weight"],
    }


def _path(shape: shapely.Geometry) -> Any:
    """Return a shape as one path; holes run against their outline, by which they are left out."""
    from matplotlib.path import Path as Drawn

    parts = shapely.get_parts(shapely.orient_polygons(shape))
    if parts[0].geom_type == "Polygon":
        rings = shapely.get_rings(parts)
        return Drawn.make_compound_path(
            *[Drawn(shapely.get_coordinates(ring), closed=True) for ring in rings]
        )
    return Drawn.make_compound_path(*[Drawn(shapely.get_coordinates(part)) for part in parts])


def _handle(layer: Layer, entry: Entry) -> Any:
    """Return the swatch of a line of the legend."""
    from matplotlib.lines import Line2D
    from matplotlib.patches import Patch

    style = layer.styles[entry.style]
    if layer.kind == "sites":
        return Line2D(
            [], [], linestyle="none", marker="o", markersize=7, color=style["color"], markeredgecolor="white"
        )
    if layer.kind in ("lines", "outlines"):
        look = _look(style, is_filled=False)
        return Line2D([], [], color=look["edgecolor"], linewidth=max(2 * look["linewidth"], 0.8))
    return Patch(**_look(style, is_filled=True))
