"""Where the people of each row go: parts of rows in H3 cells, and their sums."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from citygeo.demand.people import apportion, whole_weights

if TYPE_CHECKING:
    from collections.abc import Iterable
    from typing import Self

    from numpy.typing import NDArray

OUTSIDE = np.uint64(0)  # no cell: what lies outside the area asked for


class Parts(NamedTuple):
    """
    Parts of rows: each takes its row's people in proportion to its weight.

    Attributes
    ----------
    row
        Position of the row, shape `(m,)`.
    cell
        The cell the part lies in, `OUTSIDE` for none.
    weight
        Not negative; only the proportions within a row matter.
    """

    row: NDArray[np.int64]
    cell: NDArray[np.uint64]
    weight: NDArray[np.float64]

    @classmethod
    def whole(cls, row: NDArray[np.int64], cell: NDArray[np.uint64]) -> Self:
        """Return one part a row."""
        return cls(row, cell, np.ones(row.size))

    @classmethod
    def joined(cls, parts: Iterable[Parts]) -> Self:
        """Put parts of several rows together."""
        lists = list(parts)
        row = np.concatenate([np.empty(0, np.int64), *(one.row for one in lists)])
        cell = np.concatenate([np.empty(0, np.uint64), *(one.cell for one in lists)])
        return cls(row, cell, np.concatenate([np.empty(0), *(one.weight for one in lists)]))

    def of_rows(self, row: NDArray[np.int64]) -> Parts:
        """Return the parts of a selection of rows by their positions in the whole layer."""
        return Parts(row[self.row], self.cell, self.weight)

    def merged(self) -> Parts:
        """
        Add up the parts of one row in one cell.

        They are added from small to large, and come in the order of rows and cells, so that the result does not
        depend on the order in which they were found.
        """
        if not self.row.size:
            return self
        order = np.lexsort((self.weight, self.cell, self.row))
        row, cell, weight = self.row[order], self.cell[order], self.weight[order]
        is_first = np.ones(row.size, np.bool_)
        is_first[1:] = (row[1:] != row[:-1]) | (cell[1:] != cell[:-1])
        start = np.flatnonzero(is_first)
        return Parts(row[start], cell[start], np.add.reduceat(weight, start))


def sums_of_parts(
    micro: NDArray[np.int64], parts: Parts
) -> tuple[NDArray[np.uint64], NDArray[np.int64], NDArray[np.int64]]:
    """
    Give each row's people to its parts and add them up by cell.

    Parameters
    ----------
    micro
        Whole millionths of each row and column, shape `(n, k)`.
    parts
        Where they go. People of a row without parts go nowhere.

    Returns
    -------
    Cells with anybody in any column, sorted; sums, shape `(cells, k)`; and what is outside, shape `(k,)`. Together
    they are exactly the people of all rows with parts.

    Examples
    --------
    >>> parts = Parts(np.array([0, 0]), np.array([5, 7], np.uint64), np.array([1.0, 3.0]))
    >>> sums_of_parts(np.array([[8], [9]]), parts)[1].tolist()
    [[2], [6]]
    """
    row, cell, weight = parts.merged()
    cells, position = np.unique(cell, return_inverse=True)
    sums = np.zeros((cells.size, micro.shape[1]), np.int64)
    whole = whole_weights(weight, row, len(micro))
    for k in range(micro.shape[1]):
        np.add.at(sums[:, k], position, apportion(micro[:, k], whole, row))
    is_outside = cells == OUTSIDE
    is_inhabited = ~is_outside & (sums > 0).any(axis=1)
    return cells[is_inhabited], sums[is_inhabited], sums[is_outside].sum(axis=0)
