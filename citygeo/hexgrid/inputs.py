"""What the other modules ask of resolutions and arrays."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from citygeo.errors import error

if TYPE_CHECKING:
    from numpy.typing import ArrayLike, DTypeLike, NDArray

MAX_RESOLUTION = 15
MAX_CELLS = 5_000_000


def require_resolution(resolution: int) -> None:
    """Raise if H3 has no such resolution."""
    given: Any = resolution
    is_whole = isinstance(given, int | np.integer) and not isinstance(given, bool)
    if not is_whole or not 0 <= given <= MAX_RESOLUTION:
        raise error(
            "CG-UNIT-002", argument="resolution", value=resolution, low=0, high=MAX_RESOLUTION,
            unit="H3 resolution", hint="9 is about 0.1 km2 a cell, 8 about 0.7 km2.",
        )  # fmt: skip


def locked(values: ArrayLike, dtype: DTypeLike) -> NDArray[Any]:
    """Return the values in one piece and read-only, as the kernels are compiled for."""
    array = np.ascontiguousarray(values, dtype).view()
    array.flags.writeable = False
    return array


def require_no_bad_rows(is_bad: NDArray[np.bool_], layer: str, column: str, rule: str) -> None:
    """Raise if there is a bad row, naming the first."""
    if is_bad.any():
        raise error(
            "CG-IN-003", layer=layer, column=column, count=int(is_bad.sum()), total=is_bad.size,
            sample=", ".join(str(row) for row in np.flatnonzero(is_bad)[:5]), rule=rule,
        )  # fmt: skip


def mean_area_km2(resolution: int) -> float:
    """Return the mean area of a hexagon."""
    import h3.api.numpy_int as h3

    return float(h3.average_hexagon_area(resolution, unit="km^2"))


def require_few_cells(count: float, resolution: int) -> None:
    """Raise if a result would be of more cells than the limit."""
    if count <= MAX_CELLS:
        return
    area_km2 = count * mean_area_km2(resolution)
    fits = [level for level in range(resolution) if area_km2 <= MAX_CELLS * mean_area_km2(level)]
    raise error(
        "CG-LIM-002", resolution=resolution, area_km2=f"{area_km2:,.0f}", count=f"{count:,.0f}",
        limit=f"{MAX_CELLS:,}", advice=max(fits, default=0),
    )  # fmt: skip
