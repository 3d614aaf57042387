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
WHOLE_WEIGHT = 2.0**52
# below them a quotient guessed in float64 is wrong by 1 at most, and what is left of it fits int64
MAX_QUOTIENT, MAX_TOTAL = 2**50, 2**61


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
    share, remainder = _quotients(amounts[owner].astype(np.int64), weight, total[owner])
    left = amounts - _sums(share, owner, n)
    order = np.lexsort((np.arange(owner.size), -remainder, owner))
    start = np.searchsorted(owner[order], np.arange(n))
    rank = np.arange(owner.size) - start[owner[order]]
    share[order] += rank < left[owner[order]]
    return share


def whole_weights(weights: NDArray[np.float64], owner: NDArray[np.int64], n: int) -> NDArray[np.int64]:
    """
    Return weights as whole numbers for `apportion`, as fine as float64 tells them apart.

    Parameters
    ----------
    weights
        Not negative, shape `(m,)`.
    owner
        Position of each item's owner, shape `(m,)`.
    n
        Number of owners.

    Returns
    -------
    int64, shape `(m,)`: about 2^52 together for each owner, or all 0 where its weights are.

    Examples
    --------
    >>> whole_weights(np.array([0.5, 0.5, 3.0]), np.array([0, 0, 1]), 2) // 2**50
    array([2, 2, 4])
    """
    total = np.bincount(owner, weights, n)[owner]
    share = np.divide(weights, total, out=np.zeros(weights.size), where=total > 0)
    whole: NDArray[np.int64] = np.rint(share * WHOLE_WEIGHT).astype(np.int64)
    return whole


def _quotients(
    amount: NDArray[np.int64], weight: NDArray[np.int64], total: NDArray[np.int64]
) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Return the whole part and the remainder of ``amount * weight / total``, although the product may pass int64."""
    if amount.size and (amount.max() >= MAX_QUOTIENT or total.max() >= MAX_TOTAL):
        # Python's own integers: slower, but never wrong
        product = amount.astype(object) * weight
        return (product // total).astype(np.int64), (product % total).astype(np.int64)
    guess = np.floor(amount.astype(np.float64) * weight / total).astype(np.int64)
    # both products wrap around 2^64, their difference does not: the guess is wrong by 1 at most
    rest = amount * weight - guess * total
    correction = rest // total
    return guess + correction, rest - correction * total


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
