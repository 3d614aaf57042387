"""The columns of people of a layer or table, as whole numbers."""

from __future__ import annotations

import difflib
from typing import TYPE_CHECKING, NamedTuple

import numpy as np
import pandas as pd

from citygeo.demand.people import MICRO, from_micro, to_micro
from citygeo.errors import error

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

POPULATION = "population"  # what the column of people is called in every result


class Amounts(NamedTuple):
    """
    Columns of people, or of whatever else is counted.

    Attributes
    ----------
    names
        What the columns are called in the result, the people first.
    micro
        Millionths, shape `(n, k)`.
    is_whole
        Whether the column holds whole numbers.
    """

    names: tuple[str, ...]
    micro: NDArray[np.int64]
    is_whole: tuple[bool, ...]

    @classmethod
    def of(cls, layer: pd.DataFrame, name: str, column: str, carry: Sequence[str]) -> Amounts:
        """
        Take the columns of a layer.

        Raises
        ------
        InputError
            CG-IN-003 numbers missing, infinite or negative, CG-IN-004 a carried column that would be called
            population too, or twice, CG-IN-005 no such column.
        """
        columns = (column, *carry)
        names = (POPULATION, *carry)
        for one in columns:
            require_column(layer, name, one)
        require_names(names)
        micro = [to_micro(layer[one], layer=name, column=one) for one in columns]
        is_whole = tuple(pd.api.types.is_integer_dtype(layer[one].dtype) for one in columns)
        return cls(names, np.stack(micro, axis=1), is_whole)

    def is_any(self) -> NDArray[np.bool_]:
        """Tell which rows have anything in any column."""
        return np.asarray((self.micro > 0).any(axis=1), np.bool_)

    def columns(
        self, sums: NDArray[np.int64], *, is_divided: bool
    ) -> dict[str, NDArray[np.int64 | np.float64]]:
        """Return sums of millionths as columns: int64 where whole rows of whole numbers were added, else float64."""
        return {
            name: sums[:, k] // MICRO if is_whole and not is_divided else from_micro(sums[:, k])
            for k, (name, is_whole) in enumerate(zip(self.names, self.is_whole, strict=True))
        }


def require_names(names: Sequence[str]) -> None:
    """Raise CG-IN-004 if two columns of the result would have one name."""
    repeated = [name for name in names if names.count(name) > 1 or name == "geometry"]
    if repeated:
        rule = f"The result already has a column {repeated[0]}."
        hint = "Name each column once; the column of people is called population."
        raise error("CG-IN-004", argument="carry", value=repeated[0], rule=rule, hint=hint)


def require_column(layer: pd.DataFrame, name: str, column: str) -> None:
    """Raise CG-IN-005 if a layer lacks a column; the text tells what it has, and what is near."""
    if column in layer.columns:
        return
    have = [str(one) for one, dtype in layer.dtypes.items() if str(dtype) != "geometry"]
    near = difflib.get_close_matches(column, have, n=1)
    listed = ", ".join(have) + (f"; near: {near[0]}" if near else "")
    raise error("CG-IN-005", layer=name, column=column, columns=listed)
