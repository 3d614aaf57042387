"""Small layers of the tests of `citygeo.io`, and what a refusal is."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import geopandas as gpd
import pandas as pd
import pytest
from shapely.geometry import Point

from citygeo.errors import CitygeoError
from citygeo.io.tables import read_layer

if TYPE_CHECKING:
    from pathlib import Path

NAMES = ["中央消防站", "Hafnarfjörður", "<b>{{7*7}}</b>"]
SUFFIXES = ("gpkg", "geojson", "json", "fgb", "shp", "parquet", "csv")


def stations() -> gpd.GeoDataFrame:
    points = [Point(-21.9, 64.1), Point(-21.95, 64.06), Point(-21.8, 64.15)]
    return gpd.GeoDataFrame({"name": NAMES, "crew": [7, 5, 4]}, geometry=points, crs=4326)


def write(layer: gpd.GeoDataFrame, path: Path) -> Path:
    if path.suffix == ".parquet":
        layer.to_parquet(path)
    elif path.suffix == ".csv":
        table = pd.DataFrame(layer.drop(columns="geometry"))
        table.assign(lon=layer.geometry.x, lat=layer.geometry.y).to_csv(
            path, index=False, encoding="utf-8-sig"
        )
    elif path.suffix == ".fgb":
        layer.to_file(path, SPATIAL_INDEX="NO")  # with an index the rows are written in Hilbert order
    else:
        layer.to_file(path, encoding="UTF-8" if path.suffix == ".shp" else None, engine="pyogrio")
    return path


def code_of(path: Path | str, **options: Any) -> str:
    with pytest.raises(CitygeoError) as caught:
        read_layer(path, **options)
    assert caught.value.zh
    return caught.value.code


def cut(path: Path, share: float) -> Path:
    """Keep the first bytes of a file, as a broken download does."""
    raw = path.read_bytes()
    path.write_bytes(raw[: int(len(raw) * share)])
    return path


def csv(tmp_path: Path, text: str, name: str = "a.csv") -> Path:
    path = tmp_path / name
    path.write_text(text, encoding="utf-8")
    return path
