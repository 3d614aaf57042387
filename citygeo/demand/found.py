"""People by cell, before they become a layer."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Mapping

    import numpy as np
    from numpy.typing import NDArray


class Found(NamedTuple):
    """
    People by cell.

    Attributes
    ----------
    cells
        Inhabited cells, sorted, each once.
    columns
        What is in them, by name of the column.
    method, method_zh
        What was done, in words.
    is_estimate
        Whether people were spread or estimated, and not counted in place.
    """

    cells: NDArray[np.uint64]
    columns: Mapping[str, NDArray[np.int64 | np.float64]]
    method: str
    method_zh: str
    is_estimate: bool
