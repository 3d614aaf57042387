"""Little rasters of people, and what is in them by plain loops over h3-py, shapely and pyproj."""

from __future__ import annotations

import h3.api.numpy_int as h3
import numpy as np
import pyproj
import rasterio
import shapely

from tests import reference

MOLLWEIDE = "ESRI:54009"
DEGREE = 1 / 1200  # of a pixel: about 90 m


def write_raster(path, values, *, crs=4326, west=116.0, north=40.0, size=DEGREE, **profile):
    """Write a GeoTIFF of square pixels with its north-west corner there; a pair of sizes is east and south."""
    values = np.asarray(values)
    east, south = size if isinstance(size, tuple) else (size, size)
    chosen = {
        "driver": "GTiff", "dtype": values.dtype.name, "count": 1, "height": values.shape[0],
        "width": values.shape[1], "crs": crs, "transform": rasterio.Affine(east, 0, west, 0, -south, north),
    } | profile  # fmt: skip
    with rasterio.open(path, "w", **chosen) as file:
        for band in range(1, chosen["count"] + 1):
            file.write(values, band)
    return path


def lonlat_of(path):
    """A function from row and column to longitude and latitude."""
    with rasterio.open(path) as file:
        to, crs = file.transform, file.crs.to_wkt()
    into = pyproj.Transformer.from_crs(crs, 4326, always_xy=True)
    return lambda row, column: into.transform(to.a * column + to.c, to.e * row + to.f)


def oracle(path, resolution, points=1):
    """Cells, sorted, and people, by a loop over h3-py."""
    where = lonlat_of(path)

    def cell_at(row, column):
        lon, lat = where(row, column)
        return h3.latlng_to_cell(lat, lon, resolution)

    with rasterio.open(path) as file:
        values = file.read(1).astype(float)
        values[values == file.nodata] = np.nan
    found = reference.people_by_cell(values.tolist(), cell_at, points)
    cells = sorted(found)
    return np.array(cells, np.uint64), np.array([float(found[cell]) for cell in cells])


def outlines(cells, crs):
    """Outlines of cells in a CRS, their corners moved."""
    into = pyproj.Transformer.from_crs(4326, crs, always_xy=True)
    rings = [np.array(h3.cell_to_boundary(int(cell)))[:, ::-1] for cell in cells]
    return [shapely.Polygon(np.column_stack(into.transform(*ring.T))) for ring in rings]
