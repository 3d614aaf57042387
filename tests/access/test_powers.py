"""
Which destinations were counted, exactly: on a real network, for both engines, ways, each bound and each decay.

The i-th destination weighs 2**i, so a sum names its members; there are more of them than a sum has bits, so each
weight column takes some. With a decay, each destination has a column of its own. The times are SciPy's.
"""

from __future__ import annotations

import geopandas as gpd
import numpy as np
import pytest
import shapely

import citygeo as cg
from tests.engine.test_equality import scipy_times

N = 130  # destinations
BITS = 40
BOUNDS = [1, 2.5, 6]
EVERY = 197  # origins
DECAYS = [
    cg.decay.step({1: 1, 2: 0.75, 6: 0.25}), cg.decay.linear(5), cg.decay.exponential(0.4), cg.decay.gaussian(2),
    cg.decay.gaussian(4, end=4), cg.decay.logistic(3, sd=0.5), cg.decay.power(1.5),
    cg.decay.table({0: 1, 2: 0.5, 6: 0}), np.ones_like,
]  # fmt: skip


class Case:
    """Nodes of a network as origins and destinations, and SciPy's times between them in milliseconds."""

    def __init__(self, mode):
        self.net = net = cg.datasets.reykjavik().network(mode)
        rng = np.random.default_rng(8)
        places = shapely.points(net.node_lonlat)
        self.goal = rng.choice(net.n_nodes, N, replace=False)
        self.start = np.arange(0, net.n_nodes, EVERY)
        self.origins = gpd.GeoDataFrame(geometry=places[self.start], crs=4326)
        powers = {f"b{c}": np.zeros(N) for c in range(-(-N // BITS))}
        for i in range(N):
            powers[f"b{i // BITS}"][i] = 2.0 ** (i % BITS)
        own = {f"w{i}": np.arange(N) == i for i in range(N)}
        self.powers, self.own = list(powers), list(own)
        columns = {**powers, **{name: column.astype(float) for name, column in own.items()}}
        self.known = {}
        self.goals = gpd.GeoDataFrame(columns, geometry=places[self.goal], crs=4326)

    def ms(self, direction):
        """Times from (or to) each origin to (or from) each destination."""
        if direction not in self.known:
            way = "from" if direction == "to" else "to"
            self.known[direction] = scipy_times(self.net, way, self.start)[:, self.goal]
        return self.known[direction]

    def sums(self, columns, direction, **options):
        """What is summed, `(origins, bounds, columns)`."""
        found = cg.accessibility(
            self.net, self.origins, self.goals, minutes=BOUNDS, weight=columns, direction=direction, **options
        )
        assert (found.status == "ok").all()
        table = found[[f"{column}_reached" for column in columns]].to_numpy()
        return table.reshape(len(self.start), len(BOUNDS), len(columns))


@pytest.fixture(scope="module", params=["drive", "walk"])
def case(request):
    return Case(request.param)


@pytest.mark.filterwarnings("ignore:CG-NET-011")
@pytest.mark.parametrize("direction", ["to", "from"])
@pytest.mark.parametrize("engine", ["dijkstra", "cch"])
class TestMembers:
    def test_without_decay(self, case, engine, direction):
        sums = case.sums(case.powers, direction, engine=engine)
        ms = case.ms(direction)
        members = np.array(
            [
                [(sums[:, b, i // BITS].astype(np.int64) >> (i % BITS)) & 1 for i in range(N)]
                for b in range(len(BOUNDS))
            ]
        )
        for b, bound in enumerate(BOUNDS):
            expected = ms <= bound * 60_000
            assert np.array_equal(members[b].T, expected)
            assert 0 < expected.sum() < expected.size

    @pytest.mark.parametrize("decay", DECAYS, ids=lambda decay: getattr(decay, "kind", "ones"))
    def test_with_every_decay(self, case, engine, direction, decay):
        sums = case.sums(case.own, direction, engine=engine, decay=decay)
        ms = case.ms(direction)
        for b, bound in enumerate(BOUNDS):
            is_near = ms <= bound * 60_000
            counts = np.rint(decay(np.where(is_near, ms, 0) / 60_000) * 2.0**30) / 2.0**30
            assert np.array_equal(sums[:, b], np.where(is_near, counts, 0))

    def test_a_step_that_ends_with_the_bound_is_no_decay(self, case, engine, direction):
        found = case.sums(["w0", "w7"], direction, engine=engine, decay=cg.decay.step(BOUNDS[-1]))
        assert np.array_equal(found, case.sums(["w0", "w7"], direction, engine=engine))
