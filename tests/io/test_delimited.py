"""CSV: encodings, separators, codes and ragged rows."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pytest

from citygeo.io.tables import read_layer
from citygeo.issues import IssueLog

if TYPE_CHECKING:
    from pathlib import Path
from tests.io.layers import code_of, csv


@pytest.mark.parametrize(
    ("encoding", "expected"), [("utf-8", []), ("utf-8-sig", []), ("utf-16", []), ("gb18030", ["CG-ENC-001"])]
)
def test_csv_encodings(tmp_path: Path, encoding: str, expected: list[str]) -> None:
    path = tmp_path / "a.csv"
    path.write_text("名称,经度,纬度\n南山,114.0,22.5\n", encoding=encoding)
    issues = IssueLog()
    assert read_layer(path, issues=issues)["名称"].tolist() == ["南山"]
    assert [item.code for item in issues.found] == expected


def test_csv_in_no_encoding_is_damaged(tmp_path: Path) -> None:
    path = tmp_path / "a.csv"
    path.write_bytes("name,lon,lat\nZürich,1,2\n".encode("latin-1").replace(b"\n", b"\xff\n"))
    assert code_of(path) == "CG-FILE-007"
    assert code_of(path, encoding="utf-8") == "CG-FILE-007"


@pytest.mark.parametrize("separator", [",", ";", "\t"])
def test_separators(tmp_path: Path, separator: str) -> None:
    text = "name,lon,lat\nNorth Street 1,1.5,2.5\n".replace(",", separator)
    assert read_layer(csv(tmp_path, text)).geometry.x.tolist() == [1.5]


def test_codes_keep_their_zeros_and_counts_become_numbers(tmp_path: Path) -> None:
    text = "code,population,share,note,lon,lat\n0101,12,0.5,,1,2\n440305,,1e-2,NA,1,2\n"
    layer = read_layer(csv(tmp_path, text))
    assert layer["code"].tolist() == ["0101", "440305"]
    assert layer["population"].tolist()[0] == 12
    assert np.isnan(layer["population"][1])
    assert layer["share"].tolist() == [0.5, 0.01]
    assert layer["note"].tolist()[1] == "NA"


@pytest.mark.parametrize("text", ["lon,lat\n", "\n\n", " \n"])
def test_csv_without_rows_is_empty(tmp_path: Path, text: str) -> None:
    assert code_of(csv(tmp_path, text)) == "CG-IN-001"


@pytest.mark.parametrize(
    "text", ["a,lon,lat\n1,2,3\n1,2,3,4\n", "a,lon,lat\n1,2,3,4\n5,6,7,8\n", 'a,lon,lat\n"1,2,3\n']
)
def test_ragged_csv_is_damaged_not_shifted(tmp_path: Path, text: str) -> None:
    assert code_of(csv(tmp_path, text)) == "CG-FILE-007"
