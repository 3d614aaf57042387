"""
Read rasters of numbers window by window.

Only GeoTIFF gets as far as GDAL, only its own driver opens it, and nothing is looked for beside the file: no
`.aux.xml`, world file, mask or overview of another file changes what is read.
"""

from __future__ import annotations

import math
import warnings
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from citygeo.errors import error
from citygeo.io.formats import GEOTIFF, identify

if TYPE_CHECKING:
    from collections.abc import Iterator

    import affine
    import pyproj
    from numpy.typing import NDArray

WINDOW_PIXELS = 1 << 20  # 8 MB as float64
TILED_COLUMNS = 4096
BLOCK_PIXELS = 1 << 25  # a block is unpacked whole: 256 MB as float64
CACHE_BYTES = 1 << 25  # of GDAL; windows hold whole blocks, so little is read twice
NUMBERS = "iuf"  # kinds of numpy: whole numbers and floats
GDAL_OPTIONS = {
    "GDAL_DISABLE_READDIR_ON_OPEN": "EMPTY_DIR",
    "GDAL_PAM_ENABLED": False,
    "GDAL_CACHEMAX": CACHE_BYTES,
}


class Window(NamedTuple):
    """A rectangle of pixels: its first row and column, and how many of each."""

    row: int
    column: int
    rows: int
    columns: int


@dataclass(frozen=True)
class Raster:
    """
    The first band of a GeoTIFF, as :func:`describe` found it.

    Attributes
    ----------
    path
        The file.
    rows, columns
        Its size in pixels.
    transform
        From column and row to the outer corners of pixels; not rotated.
    crs
        CRS of the transform.
    nodata
        The number that stands for no data, as it is in the file; `None` if none does.
    bands
        Number of bands in the file.
    block
        Rows and columns of the pieces that are packed together.
    scale, offset
        What is stored is multiplied by the first, then the second is added.
    has_mask
        Whether the file holds a mask of its own.
    """

    path: Path
    rows: int
    columns: int
    transform: affine.Affine
    crs: pyproj.CRS
    nodata: float | None
    bands: int
    block: tuple[int, int]
    scale: float
    offset: float
    has_mask: bool

    @property
    def empty(self) -> float:
        """What :meth:`read` returns of pixels without data; NaN if numbers are scaled: they may come out as any."""
        return math.nan if self.nodata is None or self._is_scaled else self.nodata

    @property
    def _is_scaled(self) -> bool:
        return (self.scale, self.offset) != (1.0, 0.0)

    def windows(self) -> list[Window]:
        """Return windows of about a million pixels and whole blocks, from north-west to south-east, row by row."""
        block_rows, block_columns = self.block
        columns = min(TILED_COLUMNS, WINDOW_PIXELS // block_rows)
        columns = min(self.columns, max(1, columns // block_columns) * block_columns)
        rows = min(self.rows, max(1, WINDOW_PIXELS // columns // block_rows) * block_rows)
        return list(_windows(Window(0, 0, self.rows, self.columns), rows, columns))

    def box(self, window: Window) -> tuple[float, float, float, float]:
        """Return west, south, east and north of a window in the CRS of the raster."""
        to = self.transform
        x = sorted(to.a * column + to.c for column in (window.column, window.column + window.columns))
        y = sorted(to.e * row + to.f for row in (window.row, window.row + window.rows))
        return x[0], y[0], x[1], y[1]

    def read(self, window: Window) -> NDArray[np.float64]:
        """
        Return the numbers of a window; each call opens the file for itself, so that threads may read at a time.

        Parameters
        ----------
        window
            Within the raster.

        Returns
        -------
        `(rows, columns)`, scaled; pixels without data as `empty`.

        Raises
        ------
        FileError
            CG-RAS-003 if a block cannot be read, naming its place.
        """
        import rasterio

        with rasterio.Env(**GDAL_OPTIONS), _opened(self.path) as file:
            try:
                values = self._read(file, window)
            except rasterio.errors.RasterioError as cause:
                raise self._damage(file, window, cause) from cause
        return values * self.scale + self.offset if self._is_scaled else values

    def _read(self, file: Any, window: Window) -> NDArray[np.float64]:
        part = _slices(window)
        values: NDArray[np.float64] = file.read(1, window=part, out_dtype="float64")
        if self._is_scaled and self.nodata is not None:
            values[values == self.nodata] = self.empty
        if self.has_mask:
            values[file.read_masks(1, window=part) == 0] = self.empty
        return values

    def _damage(self, file: Any, window: Window, cause: Exception) -> Exception:
        """Return the error that names the first block of a window that cannot be read."""
        import rasterio

        for block in _windows(window, *self.block):
            try:
                self._read(file, block)
            except rasterio.errors.RasterioError as own:
                window, cause = block, own
                break
        return error(
            "CG-RAS-003", path=self.path.name, row=window.row, column=window.column, rows=self.rows,
            columns=self.columns, bytes=f"{self.path.stat().st_size:,}", cause=_reason(cause),
        )  # fmt: skip


def describe(path: str | Path, *, nodata: float | None = None) -> Raster:
    """
    Open a GeoTIFF and return what is in it.

    Parameters
    ----------
    path
        A local file, ``.tif`` or ``.tiff``.
    nodata
        The number that stands for no data, instead of the file's own.

    Returns
    -------
    Size, place and packing; no pixel is read.

    Raises
    ------
    UnsafeInputError
        CG-SEC-001 a VRT under another name, CG-SEC-003 a URL or ``/vsi`` path, CG-FILE-006 a pickle.
    FileError, FileFormatError
        CG-FILE-001 no such file, CG-FILE-002 no GeoTIFF, or a damaged one.
    CRSError
        CG-RAS-001 no CRS, CG-RAS-006 one that has no place on Earth.
    InputError
        CG-RAS-004 rotated, CG-RAS-005 no place or no size on the ground, CG-RAS-015 no plain numbers.
    LimitError
        CG-RAS-010 if a block is too large to be unpacked.

    Examples
    --------
    >>> describe("/vsicurl/https://example.org/people.tif")
    Traceback (most recent call last):
        ...
    citygeo.errors.UnsafeInputError: CG-SEC-003: ...
    """
    import rasterio
    from rasterio.enums import MaskFlags

    identify(path, (GEOTIFF,))
    path = Path(path)
    with rasterio.Env(**GDAL_OPTIONS), warnings.catch_warnings():
        warnings.simplefilter("ignore", rasterio.errors.NotGeoreferencedWarning)  # CG-RAS-005 says so
        try:
            file = _opened(path)
        except rasterio.errors.RasterioError as cause:
            raise error(
                "CG-FILE-002", path=path.name, expected=GEOTIFF.label, start="the bytes of one",
                reason=_reason(cause),
            ) from cause  # fmt: skip
        with file:
            number = np.dtype(file.dtypes[0])
            if number.kind not in NUMBERS:
                raise error("CG-RAS-015", path=path.name, kind=number)
            _require_small_blocks(path, file.block_shapes[0])
            told = file.nodata if nodata is None else nodata
            return Raster(
                path, file.height, file.width, _plain(path, file.transform), _crs(path, file.crs),
                None if told is None else _stored(told, number), file.count, file.block_shapes[0],
                file.scales[0], file.offsets[0], MaskFlags.per_dataset in file.mask_flag_enums[0],
            )  # fmt: skip


def _opened(path: Path) -> Any:
    import rasterio

    return rasterio.open(path, driver=GEOTIFF.driver, sharing=False, GEOREF_SOURCES="INTERNAL")


def _windows(within: Window, rows: int, columns: int) -> Iterator[Window]:
    """Cut a window into others of at most so many rows and columns."""
    for row in range(within.row, within.row + within.rows, rows):
        for column in range(within.column, within.column + within.columns, columns):
            yield Window(
                row, column, min(rows, within.row + within.rows - row),
                min(columns, within.column + within.columns - column),
            )  # fmt: skip


def _slices(window: Window) -> tuple[tuple[int, int], tuple[int, int]]:
    return (window.row, window.row + window.rows), (window.column, window.column + window.columns)


def _stored(value: float, number: np.dtype[Any]) -> float:
    """Return a number as it comes out of the file: -99999.9 is another one in 32 bits."""
    return float(number.type(value)) if number.kind == "f" else float(value)


def _require_small_blocks(path: Path, block: tuple[int, int]) -> None:
    if block[0] * block[1] > BLOCK_PIXELS:
        raise error("CG-RAS-010", path=path.name, rows=block[0], columns=block[1], limit=f"{BLOCK_PIXELS:,}")


def _plain(path: Path, transform: affine.Affine) -> affine.Affine:
    """Return the transform, if rows and columns run along the axes of the CRS."""
    sizes = (transform.a, transform.b, transform.c, transform.d, transform.e, transform.f)
    if transform.is_identity or not all(map(math.isfinite, sizes)) or not transform.determinant:
        raise error("CG-RAS-005", path=path.name)
    if transform.b or transform.d:
        turned = math.degrees(math.atan2(transform.d, transform.a))
        raise error("CG-RAS-004", path=path.name, degrees=f"{turned:.3g}")
    return transform


def _crs(path: Path, crs: Any) -> pyproj.CRS:
    import pyproj

    if crs is None:
        raise error("CG-RAS-001", path=path.name)
    try:
        found = pyproj.CRS.from_wkt(crs.to_wkt())
        pyproj.Transformer.from_crs(found, 4326)
    except pyproj.exceptions.ProjError as cause:
        raise error("CG-RAS-006", path=path.name, crs=crs.to_wkt()[:80]) from cause
    return found


def _reason(cause: Exception) -> str:
    """Return what GDAL says, in one line."""
    told = cause.__cause__ or cause
    return " ".join(str(told).split())
