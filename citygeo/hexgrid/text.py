"""Cells as H3's text, at the edge to tables and files."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

import numpy as np

from citygeo.errors import error
from citygeo.hexgrid.inputs import locked

if TYPE_CHECKING:
    from collections.abc import Iterable

    import pandas as pd
    from numpy.typing import NDArray

    Cells = NDArray[np.uint64]

IS_NUMBER = re.compile("[0-9a-fA-F]{1,16}").fullmatch  # int() would also take signs, blanks and underscores


def has_cell_index(layer: pd.DataFrame) -> bool:
    """
    Tell whether the rows of a table are H3 cells, by its index.

    Parameters
    ----------
    layer
        A table; its index labels are looked at.

    Returns
    -------
    Whether there is a row and each label is the text of an H3 cell.

    Examples
    --------
    >>> import pandas as pd
    >>> has_cell_index(pd.DataFrame({"population": [3]}, index=["8928308280fffff"]))
    True
    """
    # a look at one label saves looking at all of most tables
    return len(layer) > 0 and bool(_cells(layer.index[:1]).all() and _cells(layer.index).all())


def to_strings(cells: Cells) -> list[str]:
    """
    Return the cells as H3's text, for tables and files.

    Parameters
    ----------
    cells
        Cells, shape `(n,)`.

    Examples
    --------
    >>> to_strings(np.array([617700169958293503], np.uint64))
    ['8928308280fffff']
    """
    import h3.api.numpy_int as h3

    return [h3.int_to_str(cell) for cell in cells.tolist()]


def from_strings(strings: Iterable[str | int]) -> Cells:
    """
    Return the cells that these texts name.

    Parameters
    ----------
    strings
        H3 cells as text, or as whole numbers.

    Raises
    ------
    InputError
        CG-IN-003 if a text is no H3 cell.

    Examples
    --------
    >>> from_strings(["8928308280fffff"])
    array([617700169958293503], dtype=uint64)
    """
    labels = list(strings)
    found = _cells(labels)
    bad = [str(labels[row]) for row in np.flatnonzero(found == 0)]
    if bad:
        raise error(
            "CG-IN-003", layer="cells", column="h3_cell", count=len(bad), total=len(labels),
            sample=", ".join(bad[:5]), rule="an H3 cell such as 8928308280fffff",
        )  # fmt: skip
    return found


def _cells(labels: Iterable[object]) -> Cells:
    """Return the cells that labels name, 0 where one names none."""
    from citygeo._kernels import cellbits

    given = np.array([_number(label) for label in labels], np.uint64)
    base = np.empty(given.size, np.uint64)
    cellbits.parents(locked(given, np.uint64), 0, base)
    return np.where(base != 0, given, np.uint64(0))


def _number(label: object) -> int:
    if isinstance(label, str):
        return int(label, 16) if IS_NUMBER(label) else 0
    if isinstance(label, int | np.integer) and not isinstance(label, bool):
        return int(label) if 0 <= label < 1 << 64 else 0
    return 0
