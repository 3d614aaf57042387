"""Prohibited transitions on a drawn town: from, via and to by hand."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from citygeo.io import overture
from tests.io.segments import segment, write

if TYPE_CHECKING:
    from pathlib import Path

    from citygeo.io.streets import StreetTables

# main street A west to east with connectors p, q, r, s; B goes north from q, C from r; D is the street south of q
P, Q, R, S, B_END, C_END, D_END = "p", "q", "r", "s", "x", "y", "z"


def town(path: Path, transition: dict[str, Any], at: str = "A") -> StreetTables:
    rows = [
        segment("A", "0 0, 100 0, 200 0, 300 0", {P: 0, Q: 1 / 3, R: 2 / 3, S: 1}),
        segment("B", "100 0, 100 90", {Q: 0, B_END: 1}),
        segment("C", "200 90, 200 0", {C_END: 0, R: 1}),
        segment("D", "100 -90, 100 0", {D_END: 0, Q: 1}),
    ]
    next(row for row in rows if row["id"] == at)["prohibited_transitions"] = [transition]
    return overture.read(write(path / "segments.parquet", rows))


def step(connector: str, name: str) -> dict[str, str]:
    return {"connector_id": connector, "segment_id": name}


def told(streets: StreetTables) -> list[tuple[Any, ...]]:
    """Restrictions as (kind, from, via, to, vehicle): ways by their ends, nodes by the order of ids p q r s x y z."""
    letters = dict(zip(range(1, 8), "pqrsxyz", strict=True))
    runs = {
        way: letters[int(streets.node_id[streets.way_node[start]])]
        + letters[int(streets.node_id[streets.way_node[stop - 1]])]
        for way, start, stop in zip(
            streets.way_id.tolist(), streets.way_start[:-1], streets.way_start[1:], strict=True
        )
    }
    return [
        (
            item.kind,
            *(runs[way] for way in item.from_way),
            letters[item.via_node] if item.via_node is not None else [runs[way] for way in item.via_way],
            *(runs[way] for way in item.to_way),
            item.vehicle,
        )
        for item in streets.restrictions
    ]


@pytest.mark.parametrize(
    ("heading", "to", "final", "expected"),
    [
        ("forward", "B", "forward", [("no_left_turn", "pq", "q", "qx", None)]),
        ("backward", "B", "forward", [("no_right_turn", "qr", "q", "qx", None)]),
        ("forward", "D", "backward", [("no_right_turn", "pq", "q", "zq", None)]),
        ("forward", "A", "forward", [("no_straight_on", "pq", "q", "qr", None)]),
        ("forward", "A", "backward", [("no_u_turn", "pq", "q", "pq", None)]),
        (
            None,
            "B",
            "forward",
            [("no_left_turn", "pq", "q", "qx", None), ("no_right_turn", "qr", "q", "qx", None)],
        ),
        # nobody can go on along D where it ends
        ("forward", "D", "forward", []),
    ],
)
def test_turns_at_a_connector_in_the_middle(
    tmp_path: Path, heading: str | None, to: str, final: str, expected: list[Any]
) -> None:
    rule = {"sequence": [step(Q, to)], "final_heading": final, "when": {"heading": heading}}
    assert told(town(tmp_path, rule)) == expected


def test_turn_over_another_segment(tmp_path: Path) -> None:
    rule = {
        "sequence": [step(Q, "A"), step(R, "C")],
        "final_heading": "backward",
        "when": {"heading": "backward"},
    }
    streets = town(tmp_path, rule, at="B")
    # south on B, east on A, north on C
    assert told(streets) == [("no_u_turn", "qx", ["qr"], "yr", None)]


def test_way_between_connectors_may_have_several_pieces_and_run_backward(tmp_path: Path) -> None:
    rule = {
        "sequence": [step(R, "A"), step(P, "A")],
        "final_heading": "forward",
        "when": {"heading": "forward"},
    }
    streets = town(tmp_path, rule, at="C")
    assert told(streets) == [("no_left_turn", "yr", ["qr", "pq"], "pq", None)]


def test_modes_become_vehicles(tmp_path: Path) -> None:
    rule = {
        "sequence": [step(Q, "B")],
        "final_heading": "forward",
        "when": {"heading": "forward", "mode": ["car", "hgv"]},
    }
    assert [item[-1] for item in told(town(tmp_path, rule))] == ["motorcar", "hgv"]


def test_rule_on_a_part_of_the_segment_binds_only_there(tmp_path: Path) -> None:
    rule = {"sequence": [step(Q, "B")], "final_heading": "forward", "when": None, "between": [0.0, 1 / 3]}
    assert told(town(tmp_path, rule)) == [("no_left_turn", "pq", "q", "qx", None)]


@pytest.mark.parametrize("sequence", [[step("nowhere", "B")], [step(Q, "nothing")], [step(S, "B")], []])
def test_transition_over_the_border_is_left_out_and_counted(tmp_path: Path, sequence: list[Any]) -> None:
    streets = town(tmp_path, {"sequence": sequence, "final_heading": "forward", "when": None})
    assert streets.restrictions == []
    assert [(issue.code, issue.sample) for issue in streets.issues.found] == [("CG-OVER-013", ("A",))]


def test_transition_at_times_is_left_out_and_counted(tmp_path: Path) -> None:
    rule = {"sequence": [step(Q, "B")], "final_heading": "forward", "when": {"during": "Mo-Fr 07:00-09:00"}}
    streets = town(tmp_path, rule)
    assert streets.restrictions == []
    assert [issue.code for issue in streets.issues.found] == ["CG-OVER-012"]
