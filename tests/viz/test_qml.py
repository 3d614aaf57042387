from __future__ import annotations

import xml.etree.ElementTree as ET

from citygeo.viz.qml import Range, Symbol, categorized, graduated, single


def _renderer(root: ET.Element) -> ET.Element:
    return next(root.iter("renderer-v2"))


def _body(qml: str) -> ET.Element:
    doctype, body = qml.split("\n", 1)
    assert doctype == "<!DOCTYPE qgis PUBLIC 'http://mrcc.com/qgis.dtd' 'SYSTEM'>"
    return ET.fromstring(body)


def test_single_symbol_has_colour_and_outline() -> None:
    root = _body(single(Symbol("fill", "#8bcbe3", "#2a74b5", 0.3, 0.45)))
    assert _renderer(root).get("type") == "singleSymbol"
    assert next(root.iter("symbol")).attrib == {"type": "fill", "name": "0", "alpha": "0.45"}
    properties = {prop.get("k"): prop.get("v") for prop in root.iter("prop")}
    assert properties["color"] == "139,203,227,255"
    assert properties["outline_color"] == "42,116,181,255"
    assert properties["outline_width"] == "0.3"


def test_no_fill_and_no_outline_are_said_so() -> None:
    properties = {p.get("k"): p.get("v") for p in _body(single(Symbol("fill", None))).iter("prop")}
    assert (properties["style"], properties["outline_style"]) == ("no", "no")


def test_graduated_classes_keep_order_bounds_and_hostile_labels() -> None:
    label = "<b>&\"'{{ 1 }}</b> 人"
    ranges = [
        Range(0, 0.1, label, Symbol("line", "#000000")),
        Range(0.1, float("inf"), "x", Symbol("line", "#ffffff")),
    ]
    root = _body(graduated('a"b', ranges))
    assert _renderer(root).get("attr") == 'a"b'
    found = root.findall(".//range")
    assert [(item.get("lower"), item.get("upper"), item.get("symbol")) for item in found] == [
        ("0", "0.1", "0"),
        ("0.1", "inf", "1"),
    ]
    assert found[0].get("label") == label
    assert [symbol.get("name") for symbol in root.iter("symbol")] == ["0", "1"]


def test_markers_have_a_size() -> None:
    properties = {
        p.get("k"): p.get("v")
        for p in _body(single(Symbol("marker", "#111827", "#ffffff", 3.6))).iter("prop")
    }
    assert (properties["name"], properties["size"]) == ("circle", "3.6")


def test_categorized_draws_by_word_and_escapes_it() -> None:
    qml = categorized(
        "link", {"trap": ("Trap 陷阱", Symbol("line", "#c81e4a")), 'a"<b': ("x", Symbol("line", "#000000"))}
    )
    renderer = _renderer(_body(qml))
    assert (renderer.get("type"), renderer.get("attr")) == ("categorizedSymbol", "link")
    assert [(c.get("value"), c.get("label"), c.get("symbol")) for c in renderer.iter("category")] == [
        ("trap", "Trap 陷阱", "0"), ('a"<b', "x", "1"),
    ]  # fmt: skip
    assert [s.get("name") for s in renderer.iter("symbol")] == ["0", "1"]
