"""Optional packages: there, or one sentence that says what to install."""

from __future__ import annotations

import json
import sys
from typing import TYPE_CHECKING

import pytest

from citygeo._optional import need
from citygeo.errors import MissingExtraError

if TYPE_CHECKING:
    from pathlib import Path


def test_installed_package_is_returned() -> None:
    assert need("json", extra="parquet", purpose="Reading") is json


def test_missing_package_names_the_extra_and_is_an_import_error(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "pyarrow", None)
    with pytest.raises(ImportError, match=r'pip install "citygeo\[parquet\]"') as caught:
        need("pyarrow", extra="parquet", purpose="Reading a.parquet")
    assert isinstance(caught.value, MissingExtraError)
    assert caught.value.code == "CG-DEP-001"
    assert "Reading a.parquet needs the package pyarrow" in str(caught.value)
    assert isinstance(caught.value.__cause__, ImportError)


def test_package_that_breaks_while_importing_keeps_its_cause(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "citygeo_test_broken.py").write_text("import citygeo_test_no_such_module")
    monkeypatch.syspath_prepend(tmp_path)
    with pytest.raises(MissingExtraError) as caught:
        need("citygeo_test_broken", extra="parquet", purpose="Reading")
    assert "citygeo_test_no_such_module" in str(caught.value.__cause__)
