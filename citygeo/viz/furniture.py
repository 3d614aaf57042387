"""What a printed map carries around it: scale bar, north arrow, footnotes."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

import pyproj

from citygeo import datum
from citygeo.viz.classes import INK, LINE

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.transforms import Transform

SMALL, NORMAL = 7.5, 8.5  # points
POLE = 89.0  # degrees


def nice_length(limit: float) -> float:
    """
    Return the greatest length of 1, 2 or 5 times a power of ten that is no longer than a limit.

    Examples
    --------
    >>> nice_length(4300), nice_length(999), nice_length(1)
    (2000.0, 500.0, 1.0)
    """
    power = 10.0 ** math.floor(math.log10(limit))
    return max(step * power for step in (1, 2, 5) if step * power <= limit)


def length_text(metres: float) -> str:
    """Return a round length as text."""
    return f"{metres / 1000:g} km" if metres >= 1000 else f"{metres:g} m"


def _below(ax: Axes, points: float, base: Transform) -> Transform:
    """Return a transform that is moved down from the map by points of print."""
    from matplotlib.transforms import ScaledTranslation

    figure: Any = ax.figure
    return base + ScaledTranslation(0, -points / 72, figure.dpi_scale_trans)


def scale_bar(ax: Axes, west: float, metres: float, units: float, text: str) -> None:
    """Draw a bar of so many metres; its length is in the map's own units, so that it stays true when zoomed."""
    half, full = west + metres / 2 * units, west + metres * units
    place = _below(ax, 10, ax.get_xaxis_transform())
    ax.plot(
        [west, full], [0, 0], transform=place, color=INK, linewidth=4, solid_capstyle="butt", clip_on=False
    )
    ax.plot(
        [half, full],
        [0, 0],
        transform=place,
        color="white",
        linewidth=2.4,
        solid_capstyle="butt",
        clip_on=False,
    )
    under = _below(ax, 15, ax.get_xaxis_transform())
    for x, label in ((west, "0"), (full, text)):
        ax.text(
            x,
            0,
            label,
            transform=under,
            fontsize=SMALL,
            color=INK,
            va="top",
            ha="left" if x == west else "center",
        )


def north_arrow(ax: Axes, angle: float) -> None:
    """Draw an arrow to true north, which is seldom straight up the sheet."""
    from matplotlib.path import Path as Drawn
    from matplotlib.transforms import Affine2D

    arrow = Drawn([(0, 1), (0.45, -0.8), (0, -0.4), (-0.45, -0.8), (0, 1)], closed=True)
    turned = arrow.transformed(Affine2D().rotate(-angle))
    ax.plot(
        [0.985], [0], transform=_below(ax, 17, ax.transAxes), marker=turned, markersize=20, color=INK, clip_on=False,
        markeredgewidth=0,
    )  # fmt: skip
    ax.annotate(
        "N", (0.985, 0), (-14, -17), xycoords="axes fraction", textcoords="offset points", ha="right", va="center",
        fontsize=NORMAL, fontweight="bold", color=INK, annotation_clip=False,
    )  # fmt: skip


def footnote(ax: Axes, row: int, text: str) -> None:
    """Write a line under the scale bar."""
    ax.annotate(
        text, (0, 0), (0, -34 - 11 * row), xycoords="axes fraction", textcoords="offset points", fontsize=SMALL,
        color=LINE, va="top", annotation_clip=False, parse_math=False,
    )  # fmt: skip


def north_step(crs: pyproj.CRS, x: float, y: float) -> tuple[float, float]:
    """Return the step on a map of one metre to true north at a place of it."""
    lon, lat = pyproj.Transformer.from_crs(crs, datum.WGS84, always_xy=True).transform(x, y)
    lat = min(lat, POLE)
    ahead = lat + 0.01
    to_map = pyproj.Transformer.from_crs(datum.WGS84, crs, always_xy=True).transform
    (x1, y1), (x2, y2) = to_map(lon, lat), to_map(lon, ahead)
    metres = pyproj.Geod(ellps="WGS84").inv(lon, lat, lon, ahead)[2]
    return (x2 - x1) / metres, (y2 - y1) / metres
