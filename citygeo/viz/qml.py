"""QGIS styles (QML) from small descriptions, so that a GeoPackage opens looking like the map."""

from __future__ import annotations

import xml.etree.ElementTree as ET
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

_DOCTYPE = "<!DOCTYPE qgis PUBLIC 'http://mrcc.com/qgis.dtd' 'SYSTEM'>\n"
_LAYER_CLASS = {"fill": "SimpleFill", "line": "SimpleLine", "marker": "SimpleMarker"}


@dataclass(frozen=True)
class Symbol:
    """
    How a feature looks.

    Attributes
    ----------
    kind
        ``fill``, ``line`` or ``marker``.
    colour
        Fill of areas and markers, colour of lines; ``#rrggbb``, or None for no fill.
    outline
        Colour of the outline of areas and markers, None for none.
    width_mm
        Width of lines and outlines; of markers, the diameter.
    opacity
        0 to 1.
    """

    kind: str
    colour: str | None
    outline: str | None = None
    width_mm: float = 0.26
    opacity: float = 1.0


@dataclass(frozen=True)
class Range:
    """One class of a graduated style: bounds, label, symbol."""

    lower: float
    upper: float
    label: str
    symbol: Symbol


def single(symbol: Symbol) -> str:
    """
    Return a style that draws every feature alike.

    Examples
    --------
    >>> 'type="singleSymbol"' in single(Symbol("line", "#2a74b5"))
    True
    """
    renderer = ET.Element("renderer-v2", {"type": "singleSymbol", **_RENDERER})
    _add_symbols(renderer, [symbol])
    return _document(renderer)


def graduated(column: str, ranges: Sequence[Range]) -> str:
    """
    Return a style that draws features by a number.

    Parameters
    ----------
    column
        The column with the number.
    ranges
        The classes; in QGIS both bounds of a class belong to it, and the first class that fits counts.

    Returns
    -------
    The QML text.
    """
    attributes = {"type": "graduatedSymbol", "attr": column, "graduatedMethod": "GraduatedColor", **_RENDERER}
    renderer = ET.Element("renderer-v2", attributes)
    box = ET.SubElement(renderer, "ranges")
    for place, item in enumerate(ranges):
        ET.SubElement(
            box,
            "range",
            {
                "lower": f"{item.lower:.15g}", "upper": f"{item.upper:.15g}", "label": item.label,
                "symbol": str(place), "render": "true",
            },
        )  # fmt: skip
    _add_symbols(renderer, [item.symbol for item in ranges])
    return _document(renderer)


def categorized(column: str, symbols: Mapping[str, tuple[str, Symbol]]) -> str:
    """
    Return a style that draws features by a word.

    Parameters
    ----------
    column
        The column with the word.
    symbols
        Word -> label and symbol; other words are not drawn.

    Examples
    --------
    >>> 'value="trap"' in categorized("link", {"trap": ("One-way trap", Symbol("line", "#c81e4a"))})
    True
    """
    attributes = {"type": "categorizedSymbol", "attr": column, **_RENDERER}
    renderer = ET.Element("renderer-v2", attributes)
    box = ET.SubElement(renderer, "categories")
    for place, (word, (label, _)) in enumerate(symbols.items()):
        category = {"value": word, "label": label, "symbol": str(place), "render": "true", "type": "string"}
        ET.SubElement(box, "category", category)
    _add_symbols(renderer, [symbol for _, symbol in symbols.values()])
    return _document(renderer)


_RENDERER = {"symbollevels": "0", "enableorderby": "0", "forceraster": "0"}


def _add_symbols(renderer: ET.Element, symbols: Sequence[Symbol]) -> None:
    box = ET.SubElement(renderer, "symbols")
    for place, symbol in enumerate(symbols):
        shape = ET.SubElement(
            box, "symbol", {"type": symbol.kind, "name": str(place), "alpha": f"{symbol.opacity:g}"}
        )
        layer = ET.SubElement(
            shape, "layer", {"class": _LAYER_CLASS[symbol.kind], "enabled": "1", "pass": "0", "locked": "0"}
        )
        for key, value in _properties(symbol).items():
            ET.SubElement(layer, "prop", {"k": key, "v": value})


def _properties(symbol: Symbol) -> dict[str, str]:
    if symbol.kind == "line":
        return {
            "line_color": _rgba(symbol.colour), "line_width": f"{symbol.width_mm:g}", "line_width_unit": "MM",
            "line_style": "solid", "capstyle": "round", "joinstyle": "round",
        }  # fmt: skip
    outline = {
        "outline_color": _rgba(symbol.outline),
        "outline_style": "solid" if symbol.outline else "no",
        "outline_width_unit": "MM",
    }
    if symbol.kind == "marker":
        size = {"name": "circle", "size": f"{symbol.width_mm:g}", "size_unit": "MM", "outline_width": "0.4"}
        return {"color": _rgba(symbol.colour), **size, **outline}
    style = {"style": "solid" if symbol.colour else "no", "outline_width": f"{symbol.width_mm:g}"}
    return {"color": _rgba(symbol.colour), **style, **outline}


def _rgba(colour: str | None) -> str:
    """Return "r,g,b,a"; nothing is transparent black."""
    if colour is None:
        return "0,0,0,0"
    return ",".join(str(int(colour[place : place + 2], 16)) for place in (1, 3, 5)) + ",255"


def _document(renderer: ET.Element) -> str:
    root = ET.Element("qgis", {"version": "3.22.0", "styleCategories": "Symbology"})
    root.append(renderer)
    ET.SubElement(root, "blendMode").text = "0"
    ET.SubElement(root, "layerOpacity").text = "1"
    return _DOCTYPE + ET.tostring(root, encoding="unicode")
