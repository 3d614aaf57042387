"""The printed picture of isochrones: what stands on it, and the files."""

from __future__ import annotations

import math
import sys
import warnings
from typing import TYPE_CHECKING, Any

import numpy as np
import pyproj
import pytest

from citygeo.errors import CitygeoWarning, FileError, MissingExtraError
from citygeo.viz import fonts, static
from citygeo.viz.furniture import nice_length, north_step
from citygeo.viz.static import plot
from tests.viz.fakes import HOSTILE, isochrones

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

matplotlib = pytest.importorskip("matplotlib")


@pytest.fixture(autouse=True)
def _closed() -> Iterator[None]:
    matplotlib.use("agg")
    yield
    from matplotlib import pyplot as plt

    plt.close("all")


def texts(ax: Any) -> list[str]:
    """Return every text on the axes, the legend's too."""
    return [text.get_text() for text in ax.findobj(matplotlib.text.Text) if text.get_text().strip()]


def legend(ax: Any) -> list[str]:
    return [text.get_text().strip() for text in ax.get_legend().get_texts()]


def is_drawn(path: Path) -> bool:
    pixels = matplotlib.image.imread(path)
    return len(np.unique(pixels.reshape(-1, pixels.shape[2]), axis=0)) > 20


@pytest.mark.parametrize(
    ("kind", "overlap", "said"),
    [
        (
            "polygons",
            "overlap",
            ["Isochrones 等时圈", "Within 5 min 5分钟内", "km²", "Within 10 min 10分钟内"],
        ),
        ("polygons", "dissolve", ["Within 5 min 5分钟内", "Within 10 min 10分钟内", "km²"]),
        ("polygons", "split", ["Station 一", "#b", "Within 10 min 10分钟内", "km²"]),
        ("edges", "overlap", ["Reached roads 可达道路", "2.5 – 5 min"]),
        ("cells", "split", ["Hexagons by minute 六边形可达时间", "5 – 7.5 min  1 ⬡"]),
    ],
)
def test_a_picture_of_each_kind_is_written_and_complete(
    kind: str, overlap: str, said: list[str], tmp_path: Path
) -> None:
    path = tmp_path / "map.png"
    ax = plot(isochrones(kind, overlap), path=path, dpi=60)
    assert is_drawn(path)
    assert [item.name for item in tmp_path.iterdir()] == ["map.png"]  # nothing temporary is left
    for part in (*said, "Stations 站点", "Road network 路网", "Main roads 快速路与主干道"):
        assert any(part in line for line in legend(ax)), part
    written = "\n".join(texts(ax))
    for part in (
        "Fire engine: isochrones of 5, 10 minutes", "消防车5、10分钟等时圈", "N", "5 km",
        "Road network 路网  xiamen.osm.pbf · © OpenStreetMap contributors, ODbL 1.0",
    ):  # fmt: skip
        assert part in written, part
    assert ("Ground within 100 m off the road on foot at 4.8 km/h" in written) == (kind == "polygons")


def test_axes_are_metres_and_hold_what_is_reached() -> None:
    iso = isochrones()
    ax = plot(iso)
    assert ax.get_aspect() == 1.0
    west, south, east, north = iso.to_crs(32650).total_bounds
    far = iso.facilities.to_crs(32650).geometry["c"]  # off the network, but asked about
    (x0, x1), (y0, y1) = ax.get_xlim(), ax.get_ylim()
    assert x0 < west < east < far.x < x1
    assert y0 < min(south, far.y) < north < y1


def test_every_glyph_is_there() -> None:
    """matplotlib warns of each glyph that no font has; warnings are errors here."""
    assert fonts.has_chinese(fonts.families()), "install fonts-noto-cjk to run the tests"
    ax = plot(isochrones(name="厦门思明消防救援站"), title=("Xiamen", "厦门等时圈"))
    ax.figure.canvas.draw()
    assert "厦门等时圈" in ax.get_title(loc="left")


def test_without_a_chinese_font_labels_are_english_and_names_warn(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(fonts, "families", lambda: [fonts.OTHERS])
    path = tmp_path / "map.png"
    with pytest.warns(CitygeoWarning, match="CG-FONT-001"):
        ax = plot(isochrones(name="消防站"), path=path, dpi=50)
    assert "Within 5 min" in "\n".join(legend(ax))
    assert "5分钟内" not in "\n".join(texts(ax))
    assert is_drawn(path)
    ascii_only = isochrones(name="Station")
    ascii_only.provenance["attribution"] = "survey"
    plot(ascii_only).figure.canvas.draw()  # nothing Chinese is left, so nothing warns


def test_fonts_installed_after_matplotlib_are_found(monkeypatch: pytest.MonkeyPatch) -> None:
    from matplotlib import font_manager

    added = []
    monkeypatch.setattr(font_manager.fontManager, "ttflist", [])
    monkeypatch.setattr(font_manager.fontManager, "addfont", added.append)
    monkeypatch.setattr(
        font_manager,
        "findSystemFonts",
        lambda: ["/f/DejaVuSans.ttf", "/f/NotoSansCJK-Regular.ttc", "C:\\f\\msyh.ttc"],
    )
    fonts.families.cache_clear()
    try:
        assert fonts.families() == [fonts.OTHERS]
    finally:
        fonts.families.cache_clear()
    assert [path.name.split("\\")[-1] for path in added] == ["NotoSansCJK-Regular.ttc", "msyh.ttc"]


@pytest.mark.parametrize("suffix", ["png", "svg", "pdf", "PNG"])
def test_equal_results_give_equal_files(suffix: str, tmp_path: Path) -> None:
    paths = [tmp_path / f"{name}.{suffix}" for name in "ab"]
    for path in paths:
        plot(isochrones("edges"), path=path, dpi=50)
    first, second = (path.read_bytes() for path in paths)
    assert first == second
    starts = {"png": b"\x89PNG", "svg": b"<?xml", "pdf": b"%PDF"}
    assert first.startswith(starts[suffix.lower()])


def test_svg_keeps_text(tmp_path: Path) -> None:
    plot(isochrones(overlap="split", name="厦门 & <b>"), path=tmp_path / "map.svg")
    text = (tmp_path / "map.svg").read_text("utf-8")
    assert "厦门 &amp; &lt;b&gt;" in text
    assert "Within 5 min 5分钟内" in text


@pytest.mark.parametrize("name", [*HOSTILE, "_hidden", "$\\frac{1}{2$", "two\nlines", "\x07bell"])
def test_names_are_text_and_nothing_else(name: str, tmp_path: Path) -> None:
    ax = plot(isochrones("polygons", "split", name), title=(name, name), path=tmp_path / "map.svg")
    shown = "".join(char if char.isprintable() else " " for char in name).strip()
    assert shown in ax.get_title(loc="left")
    assert any(shown in line for line in legend(ax))


def test_a_failing_write_leaves_the_old_picture(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "map.png"
    path.write_bytes(b"old")

    def fail(*_: object, **__: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("matplotlib.figure.Figure.savefig", fail)
    with pytest.raises(FileError, match="CG-FILE-012"):
        plot(isochrones(), path=path)
    assert path.read_bytes() == b"old"
    assert list(tmp_path.iterdir()) == [path]


def test_other_formats_are_refused_before_anything_is_drawn(tmp_path: Path) -> None:
    with pytest.raises(FileError, match=r"CG-FILE-012.*map.docx"):
        plot(None, path=tmp_path / "map.docx")


def test_without_matplotlib_one_sentence_helps(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "matplotlib", None)
    with pytest.raises(MissingExtraError, match=r"CG-DEP-001.*matplotlib"):
        plot(isochrones())


def test_callers_axes_are_used_and_a_written_figure_is_not_kept(tmp_path: Path) -> None:
    from matplotlib import pyplot as plt

    _, ax = plt.subplots()
    assert plot(isochrones(), ax=ax) is ax
    before = plt.get_fignums()
    plot(isochrones(), path=tmp_path / "map.png", dpi=50)
    assert plt.get_fignums() == before
    plot(isochrones())
    assert len(plt.get_fignums()) == len(before) + 1


def test_names_stand_apart_and_inside_and_many_are_left_out(monkeypatch: pytest.MonkeyPatch) -> None:
    iso = isochrones()
    ax = plot(iso)
    ax.figure.draw_without_rendering()
    boxes = {
        t.get_text(): t.get_window_extent() for t in ax.texts if t.get_text() in ("Station 一", "#b", "far")
    }
    assert len(boxes) == 3
    frame, placed = ax.get_window_extent(), list(boxes.values())
    for place, box in enumerate(placed):
        assert frame.x0 <= box.x0 < box.x1 <= frame.x1
        assert not any(box.overlaps(other) for other in placed[place + 1 :])
    monkeypatch.setattr(static, "MAX_NAMED", 2)
    assert "Station 一" not in texts(plot(iso))


def test_nothing_drawn_covers_anything_else() -> None:
    ax = plot(isochrones("cells"))
    ax.figure.draw_without_rendering()
    frame, key = ax.get_window_extent(), ax.get_legend().get_window_extent()
    assert key.x0 >= frame.x1
    under = [t.get_window_extent() for t in ax.texts if t.get_window_extent().y1 < frame.y0]
    assert len(under) == 4  # 0, the length, N, sources
    for place, box in enumerate(under):
        assert not any(box.overlaps(other) for other in under[place + 1 :])


def test_scale_bar_is_as_long_as_it_says() -> None:
    iso = isochrones()
    ax = plot(iso)
    bar = next(line for line in ax.lines if line.get_linewidth() == 4)
    (x0, x1), y = bar.get_xdata(), ax.get_ylim()[0]
    to_degrees = pyproj.Transformer.from_crs(32650, 4326, always_xy=True).transform
    metres = pyproj.Geod(ellps="WGS84").inv(*to_degrees(x0, y), *to_degrees(x1, y))[2]
    label = next(text.get_text() for text in ax.texts if text.get_text().endswith("km"))
    assert metres == pytest.approx(1000 * float(label.split()[0]), rel=1e-3)


def test_north_is_true_north() -> None:
    crs = pyproj.CRS(32650)  # its middle is 117 degrees east
    x, y = pyproj.Transformer.from_crs(4326, crs, always_xy=True).transform(118.08, 24.46)
    east, north = north_step(crs, x, y)
    factors = pyproj.Proj(crs).get_factors(118.08, 24.46)
    assert math.degrees(math.atan2(east, north)) == pytest.approx(-factors.meridian_convergence, abs=1e-3)
    assert math.hypot(east, north) == pytest.approx(factors.meridional_scale, rel=1e-6)
    assert abs(factors.meridian_convergence) > 0.4


def test_round_lengths() -> None:
    assert [nice_length(limit) for limit in (1, 1.9, 2, 49, 999, 1e4)] == [1, 1, 2, 20, 500, 10000]


def test_nothing_reached_is_a_map_of_the_facilities() -> None:
    iso = isochrones()
    iso.geometry = [None] * len(iso)
    iso["area_km2"] = 0.0
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        ax = plot(iso)
    assert "Within 5 min 5分钟内  0.00 km²" in legend(ax)
