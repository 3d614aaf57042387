"""Cut edges change no time, under turn rules and delays too."""

from __future__ import annotations

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from citygeo.engine import Places
from citygeo.network import RoadNetwork
from citygeo.network.splitting import split_edges
from citygeo.network.states import search_arrays
from tests import engines
from tests.kernels.graphs import PLAIN_MODE
from tests.network.test_states import ruled, scenes


def shaped(net):
    """The network with straight lines along the equator as shapes, and words."""
    n = net.n_edges
    arrays = dict(net.arrays)
    arrays |= {
        "shape_start": np.arange(0, 2 * n + 1, 2),
        "shape_lonlat": np.column_stack((np.tile((0.0, 0.01), n), np.zeros(2 * n))),
        "shape_off_ground": np.zeros(2 * n, np.uint8),
        "edge_length_m": np.full(n, 1113.0),
        "edge_is_imputed": np.zeros(n, np.bool_),
        "edge_highway": np.zeros(n, np.uint32),
        "edge_name": np.zeros(n, np.uint32),
        "word_start": np.zeros(2, np.int64),
        "word_bytes": np.empty(0, np.uint8),
    }
    return arrays


def times(net, places):
    return engines.listed(engines.times(net, "from", places, places))


def places(rows):
    edge, share, ms = (np.array(column) for column in zip(*rows, strict=True))
    return Places.one_each(edge.astype(np.int64), share.astype(float), ms.astype(np.int64))


@given(scenes(), st.data())
def test_cuts_change_no_time(scene, data):
    n, listed, lost, forbidden, _ = scene
    arrays = shaped(ruled(n, listed, lost, forbidden))
    whole = RoadNetwork(dict(arrays), PLAIN_MODE, {})
    edge = data.draw(st.integers(0, len(listed) - 1))
    shares = sorted(data.draw(st.sets(st.sampled_from((0.1, 0.25, 0.5, 0.7, 0.999)), min_size=1)))
    split = split_edges(arrays, {edge: shares})
    cut = RoadNetwork(split.arrays | search_arrays(split.arrays, PLAIN_MODE), PLAIN_MODE, {})
    assert cut.n_edges == whole.n_edges + len(shares)
    assert cut.n_nodes == whole.n_nodes + len(shares)
    # places at the ends of edges are nodes in both networks; so are the places of the cuts
    ends = [(i, float(end), 0) for i in range(len(listed)) for end in (0, 1) if i != edge]
    moved = ends.copy()
    moved += [(split.pieces[edge][k], 1.0, 0) for k in range(len(shares))]
    ends += [(edge, share, 0) for share in shares]
    before, after = times(whole, places(ends)), times(cut, places(moved))
    k = len(ends) - len(shares)
    assert [row[:k] for row in after[:k]] == [row[:k] for row in before[:k]]
    # to a cut and from one: one who stands at a node may turn there, as one who stands in the street may
    assert [row[k:] for row in after[:k]] == [row[k:] for row in before[:k]]
    assert [row[:k] for row in after[k:]] == [row[:k] for row in before[k:]]
    assert abs(cut.length_m.sum() - whole.length_m.sum()) < 1e-9
    for name in ("edge_along_ms", "edge_against_ms"):
        if arrays[name][edge] != 0xFFFFFFFF:
            assert cut.arrays[name][split.pieces[edge]].sum() == arrays[name][edge]
