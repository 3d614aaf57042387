"""The transport problem against other solvers, by hand, and what every solution must keep."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import networkx as nx
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.optimize import linear_sum_assignment

from citygeo.errors import CitygeoError
from citygeo.provision import transport
from citygeo.provision.transport import Offers, allocate

if TYPE_CHECKING:
    from collections.abc import Sequence


def offers(pairs: Sequence[tuple[int, int, int]]) -> Offers:
    return Offers(*(np.array(column, np.int64) for column in zip(*sorted(pairs), strict=True)))


def most_and_least(
    pairs: Sequence[tuple[int, int, int]], demand: Sequence[int], capacity: Sequence[int]
) -> tuple[int, int]:
    """Amount served and time spent by another solver: maximum flow of minimum cost, in whole numbers."""
    graph: Any = nx.DiGraph()
    graph.add_nodes_from(("source", "sink"))
    graph.add_edges_from((("source", ("d", i), {"capacity": n, "weight": 0}) for i, n in enumerate(demand)))
    graph.add_edges_from(((("f", j), "sink", {"capacity": n, "weight": 0}) for j, n in enumerate(capacity)))
    for i, j, ms in pairs:
        graph.add_edge(("d", i), ("f", j), weight=ms)
    flow = nx.max_flow_min_cost(graph, "source", "sink")
    return sum(flow["source"].values()), nx.cost_of_flow(graph, flow)


@st.composite
def problems(draw: Any) -> tuple[list[tuple[int, int, int]], list[int], list[int]]:
    n, m = draw(st.integers(1, 7)), draw(st.integers(1, 5))
    cells = st.lists(
        st.tuples(st.integers(0, n - 1), st.integers(0, m - 1)), min_size=1, max_size=n * m, unique=True
    )
    pairs = [(i, j, draw(st.integers(0, 900_000))) for i, j in draw(cells)]
    amounts = st.integers(0, 20)
    return (
        pairs,
        draw(st.lists(amounts, min_size=n, max_size=n)),
        draw(st.lists(amounts, min_size=m, max_size=m)),
    )


@given(problems(), st.sampled_from([1, 1_000_000]))
@settings(deadline=None, max_examples=150)
def test_as_many_served_in_as_little_time_as_another_solver_finds(problem: Any, unit: int) -> None:
    pairs, demand, capacity = problem
    served, spent = most_and_least(pairs, demand, capacity)
    given_ = offers(pairs)
    amount = allocate(given_, np.array(demand) * unit, np.array(capacity) * unit)
    assert amount.sum() == served * unit
    assert (amount * given_.ms).sum() == spent * unit
    assert (amount >= 0).all()
    assert (np.bincount(given_.demand, amount, len(demand)) <= np.array(demand) * unit).all()
    assert (np.bincount(given_.facility, amount, len(capacity)) <= np.array(capacity) * unit).all()


@given(st.integers(1, 8), st.data())
@settings(deadline=None)
def test_one_place_each_is_the_assignment_problem(n: int, data: Any) -> None:
    ms = np.array(data.draw(st.lists(st.integers(0, 99_999), min_size=n * n, max_size=n * n))).reshape(n, n)
    row, column = linear_sum_assignment(ms)
    i, j = np.divmod(np.arange(n * n), n)
    one = np.full(n, 1_000_000)
    amount = allocate(Offers(i, j, ms.ravel()), one, one)
    assert set(amount.tolist()) <= {0, 1_000_000}
    assert (amount * ms.ravel()).sum() == ms[row, column].sum() * 1_000_000


@given(problems(), st.data())
@settings(deadline=None)
def test_households_of_one_house_are_served_as_one(problem: Any, data: Any) -> None:
    """A row split into several changes nothing for the whole, and none of them gets more than it asks for."""
    pairs, demand, capacity = problem
    parts = [data.draw(st.lists(st.integers(0, 9), min_size=1, max_size=4)) for _ in demand]
    rows = [(house, n) for house, households in enumerate(parts) for n in households]
    split = offers([(k, j, ms) for k, (house, _) in enumerate(rows) for i, j, ms in pairs if i == house])
    sizes = np.array([n for _, n in rows])
    amount = allocate(split, sizes, np.array(capacity))
    served, spent = most_and_least(pairs, [sum(households) for households in parts], capacity)
    assert amount.sum() == served
    assert (amount * split.ms).sum() == spent
    assert (amount >= 0).all()
    assert (np.bincount(split.demand, amount, len(rows)) <= sizes).all()
    assert (np.bincount(split.facility, amount, len(capacity)) <= np.array(capacity)).all()


def test_by_hand() -> None:
    """
    Three homes of 10, two schools of 12 and 20.

    Nearest first would fill the first school with the first home (1 min) and part of the second (2 min), and leave the
    third, which reaches no other, with nothing. All can be served if the third goes there: 10 x 3 min; then 2 of the
    first home stay (it loses 9 min a head by going away, the second only 2) and 8 go to the second school.
    """
    pairs = [(0, 0, 1), (0, 1, 10), (1, 0, 2), (1, 1, 4), (2, 0, 3)]
    amount = allocate(offers(pairs), np.array([10, 10, 10]), np.array([12, 20]))
    assert amount.tolist() == [2, 8, 0, 10, 10]


def test_people_come_before_time() -> None:
    """Serving one more is worth a long way for all others."""
    day = 86_400_000
    pairs = [(i, i, 0) for i in range(5)] + [(i, i + 1, day) for i in range(5)] + [(5, 0, day)]
    near = offers(pairs)
    amount = allocate(near, np.ones(6, np.int64), np.ones(6, np.int64))
    assert amount.sum() == 6
    assert amount[near.ms == 0].sum() == 0


def test_who_has_room_in_reach_takes_the_nearest() -> None:
    rng = np.random.default_rng(1)
    ms = rng.integers(0, 900_000, (50, 6))
    i, j = np.divmod(np.arange(300), 6)
    demand = rng.integers(1, 50, 50)
    amount = allocate(Offers(i, j, ms.ravel()), demand, np.full(6, demand.sum())).reshape(50, 6)
    np.testing.assert_array_equal(amount.argmax(axis=1), ms.argmin(axis=1))
    np.testing.assert_array_equal(amount.max(axis=1), demand)


def test_large_numbers_are_held_to_the_millionth() -> None:
    rng = np.random.default_rng(2)
    n, m = 60, 7
    i, j = np.divmod(np.arange(n * m), m)
    demand = rng.integers(1, 10**12, n)
    capacity = rng.integers(1, 10**13, m)
    amount = allocate(Offers(i, j, rng.integers(0, 900_000, n * m)), demand, capacity)
    assert (np.add.reduceat(amount, np.arange(0, n * m, m)) <= demand).all()
    assert (amount.reshape(n, m).sum(axis=0) <= capacity).all()
    assert amount.sum() == pytest.approx(min(demand.sum(), capacity.sum()), rel=1e-9)


@pytest.mark.parametrize(
    ("pairs", "demand", "capacity"),
    [([(0, 0, 5)], [0], [3]), ([(0, 0, 5)], [3], [0])],
)
def test_nothing_to_give_or_to_take_is_nothing(pairs: Any, demand: Any, capacity: Any) -> None:
    assert allocate(offers(pairs), np.array(demand), np.array(capacity)).tolist() == [0]


def test_too_many_pairs_are_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(transport, "MOST_PAIRS", 3)
    pairs = [(i, j, i + j) for i in range(2) for j in range(2)]
    with pytest.raises(CitygeoError, match=r"CG-PRO-004: 4 pairs .* the limit is 3"):
        allocate(offers(pairs), np.array([5, 5]), np.array([6, 3]))


def test_a_solver_that_gives_up_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    class GaveUp:
        status, message = 4, "numerical trouble"

    monkeypatch.setattr("scipy.optimize.linprog", lambda *_, **__: GaveUp)
    pairs = [(i, j, i + j) for i in range(2) for j in range(2)]
    with pytest.raises(CitygeoError, match=r"CG-PRO-005: .*numerical trouble"):
        allocate(offers(pairs), np.array([5, 5]), np.array([6, 3]))
