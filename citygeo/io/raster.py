"""Write rasters; each file is whole or absent (see ``io.atomic``)."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

import numpy as np

from citygeo.io.atomic import atomic_path

if TYPE_CHECKING:
    import os
    from collections.abc import Mapping, Sequence
    from pathlib import Path

    import affine
    import pyproj
    from numpy.typing import NDArray

# GDAL keeps texts in XML, which cannot hold these: with one of them it would lose all texts of the file
CONTROL = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\ufffe\uffff]")


def write_geotiff(
    path: str | os.PathLike[str],
    bands: Sequence[NDArray[np.float32]],
    *,
    transform: affine.Affine,
    crs: pyproj.CRS,
    names: Sequence[object],
    tags: Mapping[str, object],
) -> None:
    """
    Write a GeoTIFF of 32-bit numbers: tiled, compressed without loss, NaN for no data.

    No number stands for no data, so that a tool which overlooks the tag cannot add it up.

    Parameters
    ----------
    path
        The final name.
    bands
        Rows from north to south, each `(rows, columns)`.
    transform
        From column and row to the outer corners of pixels.
    crs
        CRS of the transform.
    names
        What each band is called; written as text.
    tags
        Further facts by name; written as text.

    Raises
    ------
    FileError
        CG-FILE-012 if the file cannot be written.
    """
    import rasterio
    from rasterio.errors import RasterioError

    profile = {
        "driver": "GTiff", "dtype": "float32", "count": len(bands), "height": bands[0].shape[0],
        "width": bands[0].shape[1], "crs": crs.to_wkt(), "transform": transform, "nodata": np.nan,
        "compress": "deflate", "predictor": 3, "tiled": True, "blockxsize": 256, "blockysize": 256,
        "bigtiff": "if_safer",
    }  # fmt: skip
    with atomic_path(path) as tmp:
        try:
            with rasterio.open(tmp, "w", **profile) as raster:
                raster.update_tags(**{name: _text(value) for name, value in tags.items()})
                for number, (band, name) in enumerate(zip(bands, names, strict=True), 1):
                    raster.write(band, number)
                    raster.set_band_description(number, _text(name))
            _check(tmp, bands)
        except (RasterioError, RuntimeError, ValueError) as cause:
            raise OSError(None, str(cause).replace(str(tmp), str(path))) from cause


def _check(tmp: Path, bands: Sequence[NDArray[np.float32]]) -> None:
    """Raise unless every number arrived: the driver may only log what it could not flush."""
    import rasterio

    with rasterio.open(tmp) as raster:
        for number, band in enumerate(bands, 1):
            if not np.array_equal(raster.read(number), band, equal_nan=True):
                raise OSError(None, f"band {number} of {len(bands)} was not written whole")


def _text(value: object) -> str:
    return CONTROL.sub(" ", str(value).encode("utf-8", "backslashreplace").decode())
