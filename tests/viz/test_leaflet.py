from __future__ import annotations

import pytest

from citygeo.errors import UnsafeInputError
from citygeo.viz import leaflet as module


def test_leaflet_is_whole_licensed_and_asks_for_nothing() -> None:
    copy = module.leaflet()
    assert "Leaflet 1.9.4" in copy.script
    assert "sourceMappingURL" not in copy.script
    assert "url(images/" not in copy.style
    assert copy.style.count("url(data:image/png;base64,") == 3
    assert copy.licence.startswith("BSD 2-Clause License")
    assert "</script" not in copy.script.lower()
    assert "-->" not in copy.licence


def test_another_file_than_the_reviewed_one_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "_read", lambda _: b"alert(1)")
    with pytest.raises(UnsafeInputError, match=r"CG-MAP-004: leaflet\.js"):
        module.leaflet.__wrapped__()
