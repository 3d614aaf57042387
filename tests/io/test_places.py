"""Tables get their places from coordinate columns, else from H3 cells."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pandas as pd
import pytest

from citygeo.errors import CitygeoError
from citygeo.io import places
from citygeo.io.tables import read_layer

if TYPE_CHECKING:
    from pathlib import Path
from tests.io.layers import code_of, csv


@pytest.mark.parametrize(
    ("x", "y"),
    [
        ("lon", "lat"),
        ("lng", "lat"),
        ("Longitude", "LATITUDE"),
        ("long", "lat"),
        ("经度", "纬度"),
        (" lon ", "lat"),
    ],
)
def test_coordinate_columns_are_found_by_name(tmp_path: Path, x: str, y: str) -> None:
    layer = read_layer(csv(tmp_path, f"{y},name,{x}\n22.5,a,114\n"))
    assert (layer.geometry.x[0], layer.geometry.y[0]) == (114, 22.5)
    assert layer.crs == "EPSG:4326"


def test_x_and_y_columns_have_no_crs_unless_it_is_passed(tmp_path: Path) -> None:
    path = csv(tmp_path, "X,Y\n500000,2500000\n")
    assert read_layer(path).crs is None
    assert read_layer(path, crs="EPSG:4547").crs == "EPSG:4547"


def test_longitude_of_another_datum_is_not_taken_for_wgs84(tmp_path: Path) -> None:
    assert code_of(csv(tmp_path, "lng_gcj02,lat_gcj02\n114,22\n")) == "CG-IN-005"


def test_missing_coordinates_stay_as_rows_without_geometry(tmp_path: Path) -> None:
    layer = read_layer(csv(tmp_path, "name,lon,lat\na,1,2\nb,,2\nc,NaN,NaN\n"))
    assert layer.geometry.isna().tolist() == [False, True, True]
    assert layer["name"].tolist() == ["a", "b", "c"]


@pytest.mark.parametrize("value", ["east", "114°2'", "inf", "1,5"])
def test_coordinates_that_are_no_numbers_are_named(tmp_path: Path, value: str) -> None:
    path = csv(tmp_path, f'name,lon,lat\na,1,2\nb,"{value}",2\n')
    with pytest.raises(CitygeoError) as caught:
        read_layer(path)
    assert caught.value.code == "CG-IN-003"
    assert caught.value.data["column"] == "lon"
    assert caught.value.data["sample"] == "1"


def test_table_without_places_names_its_columns(tmp_path: Path) -> None:
    with pytest.raises(CitygeoError) as caught:
        read_layer(csv(tmp_path, "name,people\na,1\n"))
    assert caught.value.code == "CG-IN-005"
    assert "people" in str(caught.value)


def test_cells_become_the_index(tmp_path: Path) -> None:
    layer = read_layer(csv(tmp_path, "h3_cell,population\n8907B0D2E63FFFF,10\n8907b0d2e67ffff,2.5\n"))
    assert layer.index.tolist() == ["8907b0d2e63ffff", "8907b0d2e67ffff"]
    assert layer.index.name == "h3_cell"
    assert layer["population"].tolist() == [10, 2.5]
    assert layer.geometry.isna().all()
    assert layer.crs == "EPSG:4326"


def test_cells_written_as_whole_numbers_are_read(tmp_path: Path) -> None:
    path = tmp_path / "cells.parquet"
    pd.DataFrame({"h3": np.array([0x8907B0D2E63FFFF], np.uint64), "population": [3]}).to_parquet(path)
    assert read_layer(path).index.tolist() == ["8907b0d2e63ffff"]


def test_cells_in_the_index_of_a_parquet_are_found(tmp_path: Path) -> None:
    path = tmp_path / "cells.parquet"
    pd.DataFrame({"population": [3]}, index=pd.Index(["8907b0d2e63ffff"], name="h3_cell")).to_parquet(path)
    assert read_layer(path).index.tolist() == ["8907b0d2e63ffff"]


@pytest.mark.parametrize("cell", ["8.91E+17", "", "xyz", "-1", "0907b0d2e63ffff", "891234567890123"])
def test_spoiled_cells_are_named(tmp_path: Path, cell: str) -> None:
    assert code_of(csv(tmp_path, f"h3,population\n8907b0d2e63ffff,1\n{cell},1\n")) == "CG-IN-003"


def test_repeated_cells_are_refused(tmp_path: Path) -> None:
    assert code_of(csv(tmp_path, "h3,population\n8907b0d2e63ffff,1\n8907b0d2e63ffff,1\n")) == "CG-IN-006"


def test_coordinates_win_over_cells(tmp_path: Path) -> None:
    layer = read_layer(csv(tmp_path, "h3_cell,lon,lat\n8907b0d2e63ffff,1,2\n8907b0d2e63ffff,1,3\n"))
    assert layer.geometry.y.tolist() == [2, 3]


def test_names_of_coordinate_columns_do_not_overlap() -> None:
    names = [*places.LON_NAMES, *places.LAT_NAMES, *places.X_NAMES, *places.Y_NAMES, *places.CELL_NAMES]
    assert len(set(names)) == len(names)


def test_plain_parquet_with_coordinates_is_placed(tmp_path: Path) -> None:
    path = tmp_path / "a.parquet"
    pd.DataFrame({"lon": [1.0], "lat": [2.0]}).to_parquet(path)
    assert read_layer(path).geometry.y.tolist() == [2]
