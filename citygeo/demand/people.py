"""Numbers of people as whole numbers: sums that come out exactly, shares that add up to the whole."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from citygeo.errors import error

if TYPE_CHECKING:
    from numpy.typing import ArrayLike, NDArray

PEOPLE_QUANTUM = 1e-6
MICRO = 1_000_000
MAX_PEOPLE = 9.2e12  # in millionths, the most that fits int64


def to_micro(
    values: ArrayLike | pd.Series, *, layer: str = "demand", column: str = "population"
) -> NDArray[np.int64]:
    """
    Return numbers of people in millionths of a person, so that they add up exactly.

    Parameters
    ----------
    values
        People, shape `(n,)`; a Series gives its labels to the message.
    layer, column
        What the caller calls them, for the message.

    Returns
    -------
    int64, shape `(n,)`, rounded to the nearest millionth.

    Raises
    ------
    InputError
        CG-IN-003 if a number is missing, negative or infinite, or if all together pass 9.2e12.

    Examples
    --------
    >>> to_micro([2.5, 0])
    array([2500000,       0])
    """
    numbers = pd.to_numeric(pd.Series(values), errors="coerce")
    people = numbers.to_numpy(np.float64, na_value=np.nan)
    is_bad = ~((people >= 0) & (people <= MAX_PEOPLE))  # NaN fails both
    if not is_bad.any() and people.sum() > MAX_PEOPLE:
        is_bad[:] = True
    if is_bad.any():
        rule = f"a number of people, 0 or more, at most {MAX_PEOPLE:.1e} together"
        raise bad_rows(layer, column, numbers.index, is_bad, rule)
    micro: NDArray[np.int64] = np.rint(people * MICRO).astype(np.int64)
    return micro


def from_micro(values: ArrayLike) -> NDArray[np.float64]:
    """
    Return people from millionths of a person.

    Parameters
    ----------
    values
        Whole millionths, any shape.

    Examples
    --------
    >>> from_micro([2500000, 0])
    array([2.5, 0. ])
    """
    return np.asarray(values, np.int64) / MICRO


def apportion(
    amounts: NDArray[np.int64], weights: NDArray[np.int64], owner: NDArray[np.int64]
) -> NDArray[np.int64]:
    """
    Share out whole amounts in proportion to weights, by largest remainder.

    Parameters
    ----------
    amounts
        What each owner has to give, whole and not negative, shape `(n,)`.
    weights
        Of each item, whole and not negative, shape `(m,)`. Where all weights of an owner are 0, its items
        share equally.
    owner
        Position in `amounts` of each item's owner, shape `(m,)`, in any order.

    Returns
    -------
    Whole shares, shape `(m,)`: those of an owner add up to its amount exactly, and each is within 1 of
    its quota. Ties go to the item that stands first. An owner without items gives nothing.

    Examples
    --------
    >>> apportion(np.array([10, 1]), np.array([1, 1, 1, 5]), np.array([0, 0, 0, 1]))
    array([4, 3, 3, 1])
    """
    n = len(amounts)
    weight = weights.astype(np.int64)
    total = _sums(weight, owner, n)
    weight = np.where(total[owner] == 0, 1, weight)
    total = _sums(weight, owner, n)
    # Python's own integers where the product would pass int64: slower, but never wrong
    is_safe = weight.size == 0 or int(weight.max()) * int(amounts.max()) < 2**63
    product = amounts[owner].astype(np.int64 if is_safe else object) * weight
    share: NDArray[np.int64] = (product // total[owner]).astype(np.int64)
    remainder = (product % total[owner]).astype(np.int64)
    left = amounts - _sums(share, owner, n)
    order = np.lexsort((np.arange(owner.size), -remainder, owner))
    start = np.searchsorted(owner[order], np.arange(n))
    rank = np.arange(owner.size) - start[owner[order]]
    share[order] += rank < left[owner[order]]
    return share


def _sums(values: NDArray[np.int64], owner: NDArray[np.int64], n: int) -> NDArray[np.int64]:
    """Add up by owner; bincount would go through float64."""
    total = np.zeros(n, np.int64)
    np.add.at(total, owner, values)
    return total


def bad_rows(layer: str, column: str, labels: pd.Index, is_bad: NDArray[np.bool_], rule: str) -> Exception:
    """Return CG-IN-003 naming the rows whose value in `column` breaks the rule."""
    sample = ", ".join(str(label) for label in labels[is_bad][:5])
    return error(
        "CG-IN-003",
        layer=layer,
        column=column,
        count=int(is_bad.sum()),
        total=is_bad.size,
        sample=sample,
        rule=rule,
    )
