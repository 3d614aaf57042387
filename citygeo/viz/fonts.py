"""A font that has Chinese, among those installed."""

from __future__ import annotations

import re
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable

# the first found is used; the last two are what matplotlib calls collections of which it knows only one face
CHINESE = (
    "Noto Sans CJK SC", "Noto Sans SC", "Source Han Sans SC", "Source Han Sans CN", "PingFang SC", "Microsoft YaHei",
    "SimHei", "Noto Sans CJK JP", "PingFang HK",
)  # fmt: skip
OTHERS = "DejaVu Sans"  # comes with matplotlib
_FILES = re.compile(
    r"(NotoSans(CJK|SC)|SourceHanSans|PingFang|msyh|simhei)[^/\\]*\.(ttc|ttf|otf)$", re.IGNORECASE
)
_HAN = re.compile(r"[\u2e80-\u303f\u3400-\u9fff\uf900-\ufaff\uff00-\uffef\U00020000-\U0003ffff]")


@cache
def families() -> list[str]:
    """Return the fonts to draw with: one that has Chinese if there is any, then one for all other signs."""
    from matplotlib.font_manager import findSystemFonts, fontManager

    known = {font.name for font in fontManager.ttflist}
    if not known.intersection(CHINESE):
        # matplotlib keeps its list of fonts from its first use on; they may have been installed since
        for path in filter(_FILES.search, findSystemFonts()):
            fontManager.addfont(Path(path))
        known = {font.name for font in fontManager.ttflist}
    found = [name for name in CHINESE if name in known]
    return [*found[:1], OTHERS]


def has_chinese(names: Iterable[str]) -> bool:
    """Tell whether one of the fonts has Chinese."""
    return any(name in CHINESE for name in names)


def lacks_chinese(names: Iterable[str], texts: Iterable[str]) -> bool:
    """Tell whether a text has Chinese characters and no font does."""
    return not has_chinese(names) and any(_HAN.search(text) for text in texts)
