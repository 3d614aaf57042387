"""What the other modules ask of resolutions and arrays."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from citygeo.errors import error

if TYPE_CHECKING:
    from numpy.typing import ArrayLike, DTypeLike, NDArray

MAX_RESOLUTION = 15


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
