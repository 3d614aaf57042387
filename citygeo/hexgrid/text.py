"""Cells as H3's text, at the edge to tables and files."""

from __future__ import annotations

from string import hexdigits
from typing import TYPE_CHECKING

import numpy as np

from citygeo.errors import error

if TYPE_CHECKING:
    from collections.abc import Iterable

    import pandas as pd
    from numpy.typing import NDArray

    Cells = NDArray[np.uint64]


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
    return len(layer) > 0 and all(_is_cell(label) for label in layer.index)


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
    texts = [f"{text:x}" if isinstance(text, int | np.integer) else str(text) for text in strings]
    bad = [text for text in texts if not _is_cell(text)]
    if bad:
        raise error(
            "CG-IN-003", layer="cells", column="h3_cell", count=len(bad), total=len(texts),
            sample=", ".join(bad[:5]), rule="an H3 cell such as 8928308280fffff",
        )  # fmt: skip
    return np.fromiter((int(text, 16) for text in texts), np.uint64, len(texts))


def _is_cell(label: object) -> bool:
    import h3.api.basic_str as h3

    if isinstance(label, int | np.integer):
        return bool(0 < label < 1 << 64 and h3.is_valid_cell(f"{label:x}"))
    # h3 raises on signs and on numbers of more than 64 bits
    is_number = isinstance(label, str) and 0 < len(label) <= 16 and all(digit in hexdigits for digit in label)
    return is_number and bool(h3.is_valid_cell(str(label)))
