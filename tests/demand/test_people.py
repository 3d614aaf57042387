from __future__ import annotations

from fractions import Fraction
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from citygeo.demand.people import MAX_PEOPLE, MICRO, PEOPLE_QUANTUM, apportion, from_micro, to_micro
from citygeo.errors import CitygeoError

if TYPE_CHECKING:
    from random import Random

ITEMS = st.lists(st.tuples(st.integers(0, 3), st.integers(0, 10**9)), max_size=30)
AMOUNTS = st.lists(st.integers(0, 10**12), min_size=4, max_size=4)


def split(items: list[tuple[int, int]]) -> tuple[np.ndarray, np.ndarray]:
    owner, weight = np.array(items, np.int64).reshape(-1, 2).T
    return owner.copy(), weight.copy()


@given(AMOUNTS, ITEMS)
def test_shares_add_up_and_are_within_one_of_the_quota(
    amounts: list[int], items: list[tuple[int, int]]
) -> None:
    owner, weight = split(items)
    share = apportion(np.array(amounts, np.int64), weight, owner)
    for who, amount in enumerate(amounts):
        mine = owner == who
        if not mine.any():
            continue
        assert int(share[mine].sum()) == amount
        given_weights = weight[mine].tolist()
        weights = given_weights if sum(given_weights) else [1] * len(given_weights)
        for got, part in zip(share[mine].tolist(), weights, strict=True):
            assert got >= 0
            assert abs(got - Fraction(amount * part, sum(weights))) < 1


@given(AMOUNTS, ITEMS, st.randoms())
def test_order_of_items_changes_only_ties(
    amounts: list[int], items: list[tuple[int, int]], random: Random
) -> None:
    owner, weight = split(items)
    share = apportion(np.array(amounts), weight, owner)
    order = list(range(len(items)))
    random.shuffle(order)
    again = apportion(np.array(amounts), weight[order], owner[order])
    # items of one owner and one weight are ties: together they get the same shares
    before = sorted(zip(owner.tolist(), weight.tolist(), share.tolist(), strict=True))
    after = sorted(zip(owner[order].tolist(), weight[order].tolist(), again.tolist(), strict=True))
    if len({(o, w) for o, w, _ in before}) == len(before):
        assert before == after
    totals = pd.DataFrame(before).groupby(0)[2].sum() if before else None
    if totals is not None:
        assert totals.tolist() == pd.DataFrame(after).groupby(0)[2].sum().tolist()


def test_ties_go_to_the_first_and_the_largest_remainder_to_the_largest() -> None:
    assert apportion(np.array([10]), np.array([1, 1, 1]), np.array([0, 0, 0])).tolist() == [4, 3, 3]
    # quotas 1.6, 3.2, 3.2: the one left over goes to the first
    assert apportion(np.array([8]), np.array([1, 2, 2]), np.array([0, 0, 0])).tolist() == [2, 3, 3]


def test_an_owner_whose_weights_are_all_zero_shares_equally() -> None:
    assert apportion(np.array([5, 7]), np.array([0, 0, 0, 4]), np.array([0, 0, 1, 1])).tolist() == [
        3,
        2,
        0,
        7,
    ]


def test_products_beyond_64_bits_stay_exact() -> None:
    amount, weights = 9_200_000_000_000_000_000, [3_000_000_000, 3_000_000_001, 1]
    share = apportion(np.array([amount]), np.array(weights), np.zeros(3, np.int64)).tolist()
    assert sum(share) == amount
    assert all(abs(s - Fraction(amount * w, sum(weights))) < 1 for s, w in zip(share, weights, strict=True))


def test_nothing_to_share_is_no_share() -> None:
    none = np.empty(0, np.int64)
    assert apportion(np.array([5]), none, none).tolist() == []
    assert apportion(none, none, none).tolist() == []


@given(st.lists(st.integers(0, 10**9), max_size=50))
def test_whole_people_go_to_millionths_and_back_exactly(people: list[int]) -> None:
    micro = to_micro(people)
    assert int(micro.sum()) == sum(people) * MICRO
    assert from_micro(micro).tolist() == people


@given(st.lists(st.floats(0, 1e6), max_size=50), st.randoms())
def test_sums_of_parts_of_people_do_not_depend_on_order(people: list[float], random: Random) -> None:
    micro = to_micro(people)
    shuffled = people.copy()
    random.shuffle(shuffled)
    assert int(to_micro(shuffled).sum()) == int(micro.sum())
    assert np.all(
        np.abs(from_micro(micro) - people) <= PEOPLE_QUANTUM * 0.5001 + np.spacing(people) if people else True
    )


@pytest.mark.parametrize("bad", [np.nan, -1.0, np.inf, -np.inf, None, "many", 2 * MAX_PEOPLE])
def test_unusable_numbers_of_people_are_refused_with_their_labels(bad: object) -> None:
    values = pd.Series([1, bad, 3, bad], index=["a", "b", "c", "d"], dtype=object)
    with pytest.raises(CitygeoError) as caught:
        to_micro(values, layer="census", column="people")
    assert caught.value.code == "CG-IN-003"
    assert caught.value.data["sample"] == "b, d"
    assert caught.value.data["layer"] == "census"


def test_people_that_overflow_together_are_refused() -> None:
    with pytest.raises(CitygeoError) as caught:
        to_micro([MAX_PEOPLE * 0.6, MAX_PEOPLE * 0.6])
    assert caught.value.code == "CG-IN-003"


def test_a_single_sum_comes_back_as_a_number() -> None:
    assert f"{from_micro(1_234_500_000):,.1f}" == "1,234.5"
    assert from_micro(np.int64(2_500_000)) == 2.5
