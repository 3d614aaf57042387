from __future__ import annotations

from typing import TYPE_CHECKING

import geopandas as gpd
import h3 as h3_text
import h3.api.numpy_int as h3
import numpy as np
import pandas as pd
import pytest

from citygeo import hexgrid
from citygeo.errors import CitygeoError

if TYPE_CHECKING:
    from pathlib import Path

CELLS = h3.grid_disk(h3.latlng_to_cell(64.14, -21.9, 9), 2)
TEXTS = hexgrid.to_strings(CELLS)
TABLE = pd.DataFrame({"population": np.arange(19), "name": "区"}, index=TEXTS)


@pytest.mark.parametrize(
    "table",
    [
        TABLE,
        TABLE.set_axis(CELLS),
        TABLE.rename_axis("h3_cell").reset_index(),
        gpd.GeoDataFrame(TABLE, geometry=gpd.points_from_xy(np.zeros(19), np.zeros(19)), crs=3857),
    ],
    ids=["text", "numbers", "a column", "with points"],
)
def test_a_table_of_cells_gets_their_outlines(table: pd.DataFrame) -> None:
    frame = hexgrid.to_frame(table)
    assert frame.index.tolist() == TEXTS
    assert frame.index.name == "h3_cell"
    assert frame.crs.to_epsg() == 4326
    assert frame.columns.tolist() == ["population", "name", "geometry"]
    assert frame["population"].tolist() == list(range(19))
    assert all(frame.geometry == hexgrid.cell_polygons(CELLS))
    assert "h3_cell" not in TABLE  # what was given is as it was


@pytest.mark.parametrize("cells", [CELLS, TEXTS, CELLS.tolist(), pd.Index(TEXTS), iter(TEXTS)])
def test_cells_alone_become_a_table_too(cells: object) -> None:
    frame = hexgrid.to_frame(cells)  # type: ignore[arg-type]
    assert frame.index.tolist() == TEXTS
    assert frame.columns.tolist() == ["geometry"]


def test_a_series_is_a_table_of_one_column() -> None:
    assert hexgrid.to_frame(TABLE["population"]).columns.tolist() == ["population", "geometry"]
    assert hexgrid.to_frame(pd.Series([1.0], index=TEXTS[:1])).columns.tolist() == ["value", "geometry"]


def test_rows_may_repeat_a_cell_and_notes_are_kept() -> None:
    twice = pd.concat([TABLE, TABLE])
    twice.attrs["source"] = "census"
    frame = hexgrid.to_frame(twice)
    assert len(frame) == 38
    assert frame.attrs["source"] == "census"


def test_no_cells_are_an_empty_table() -> None:
    frame = hexgrid.to_frame([])
    assert (len(frame), frame.crs.to_epsg(), frame.index.name) == (0, 4326, "h3_cell")


@pytest.mark.parametrize("index", [["way/1", *TEXTS[1:]], range(19), [None, *TEXTS[1:]], [*TEXTS[1:], 1.5]])
def test_rows_that_are_no_cells_are_refused(index: list[object]) -> None:
    with pytest.raises(CitygeoError) as caught:
        hexgrid.to_frame(TABLE.set_axis(index))
    assert caught.value.code == "CG-IN-003"


def test_duckdb_reads_the_files_and_finds_the_cells_and_sums(tmp_path: Path) -> None:
    duckdb = pytest.importorskip("duckdb")
    frame = hexgrid.to_frame(TABLE)
    frame.to_parquet(tmp_path / "cells.parquet")
    frame.drop(columns="geometry").to_csv(tmp_path / "cells.csv")
    for name in ("cells.parquet", "cells.csv"):
        rows = duckdb.sql(
            f"select h3_cell, population, name from '{tmp_path / name}' order by population"
        ).fetchall()
        assert rows == [(text, count, "区") for count, text in enumerate(TEXTS)]
    total = duckdb.sql(f"select sum(population) from '{tmp_path / 'cells.parquet'}'").fetchall()
    assert total == [(TABLE["population"].sum(),)]


@pytest.mark.parametrize("name", ["cells.gpkg", "cells.parquet", "cells.geojson"])
def test_a_file_of_cells_comes_back_the_same(name: str, tmp_path: Path) -> None:
    frame = hexgrid.to_frame(TABLE)
    if name.endswith("parquet"):
        frame.to_parquet(tmp_path / name)
        again = gpd.read_parquet(tmp_path / name)
    else:
        frame.to_file(tmp_path / name)
        again = gpd.read_file(tmp_path / name)
    back = hexgrid.to_frame(again)
    assert back.index.tolist() == TEXTS
    assert back["population"].tolist() == list(range(19))
    assert np.all(again.geometry.geom_equals_exact(frame.geometry.set_axis(again.index), 1e-6))


def test_kepler_finds_a_column_of_text_that_is_cells(tmp_path: Path) -> None:
    hexgrid.to_frame(TABLE).drop(columns="geometry").to_csv(tmp_path / "cells.csv")
    table = pd.read_csv(tmp_path / "cells.csv")
    # its rule: a column of text whose first value is a valid H3 cell
    is_hex = [
        name for name in table if isinstance(table[name][0], str) and h3_text.is_valid_cell(table[name][0])
    ]
    assert is_hex == ["h3_cell"]
