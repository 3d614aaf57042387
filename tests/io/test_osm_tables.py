"""Numbers for node ids, and ways that are cut, tidied or empty."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from citygeo.errors import FileFormatError
from citygeo.io.osm_tables import Drawing, no_tags, number_nodes, places, tables
from citygeo.io.streets import TagSets
from tests.io.osmforms import shown

NARROW, WIDE = st.integers(-(2**40), 2**40), st.integers(-(2**63), 2**63 - 1)


def drawing(ways):
    """Ways 1, 2, ... with these node ids."""
    sets = TagSets()
    node_id, way_node = number_nodes(np.array([ref for refs in ways for ref in refs], np.int64))
    return Drawing(
        source="city.osm",
        way_id=np.arange(1, len(ways) + 1),
        way_start=np.cumsum([0, *map(len, ways)], dtype=np.int64),
        way_tag_set=sets.numbers({"highway": "path"} for _ in ways),
        node_id=node_id,
        way_node=way_node,
        sets=sets,
        n_ways=len(ways) + 2,
    )


def lines(made):
    return (
        [refs.tolist() for refs in np.split(made.node_id[made.way_node], made.way_start[1:-1])]
        if made.way_id.size
        else []
    )


@given(
    st.one_of(
        st.lists(NARROW, max_size=30), st.lists(WIDE, max_size=30), st.lists(st.integers(5, 9), max_size=30)
    )
)
def test_numbers_of_nodes(refs):
    ids, position = number_nodes(np.array(refs, np.int64))
    assert ids.tolist() == sorted(set(refs))
    assert ids[position].tolist() == refs


@given(st.lists(st.lists(st.integers(1, 3), max_size=6), max_size=6))
def test_nodes_named_twice_in_a_row_count_once(ways):
    tidy = [[ref for i, ref in enumerate(refs) if i == 0 or ref != refs[i - 1]] for refs in ways]
    made = drawing(ways)
    assert lines(made) == [refs for refs in tidy if len(refs) > 1]
    assert made.node_id.tolist() == sorted({ref for refs in tidy if len(refs) > 1 for ref in refs})
    assert made.way_id.tolist() == [i for i, refs in enumerate(tidy, 1) if len(refs) > 1]
    dropped = [str(i) for i, refs in enumerate(tidy, 1) if len(refs) < 2]
    assert [(one.count, one.sample) for one in made.issues.found] == (
        [(len(dropped), tuple(dropped[:5]))] if dropped else []
    )


def test_places_that_are_on_no_map():
    known = np.array([[180, 90], [-180, -90], [180.1, 0], [0, 90.1], [np.nan, 0], [0, np.inf]])
    assert np.isfinite(places(known)).all(axis=1).tolist() == [True, True, False, False, False, False]
    assert places(known[:2]) is not None
    np.testing.assert_array_equal(places(known[:2]), known[:2])


def made(ways, known):
    one = drawing(ways)
    lonlat = np.array([known.get(node, (np.nan, np.nan)) for node in one.node_id.tolist()]).reshape(-1, 2)
    return tables(one, lonlat, no_tags(one.node_id.size))


def test_ways_are_cut_where_places_are_missing():
    found = made([[1, 2, 9, 3, 4, 9], [9, 1], [4, 1]], {i: (i, i) for i in (1, 2, 3, 4)})
    assert [(way, refs) for way, refs, _ in shown(found)["ways"]] == [(1, [1, 2]), (1, [3, 4]), (3, [4, 1])]
    (issue,) = found.issues.found
    assert (issue.code, issue.count, issue.sample) == ("CG-FILE-004", 1, ("9",))
    assert "1 of 5 road nodes" in issue.message


def test_nothing_left_is_an_error():
    with pytest.raises(FileFormatError) as caught:
        made([], {})
    assert (caught.value.code, caught.value.data["ways"]) == ("CG-FILE-010", 2)
    with pytest.raises(FileFormatError) as caught:
        made([[1, 2, 3], [4]], {2: (0, 0), 4: (0, 0)})
    assert (caught.value.code, caught.value.data["ways"]) == ("CG-FILE-020", 1)
