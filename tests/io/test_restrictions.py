"""Turn restrictions: what relations say, and what cannot be understood."""

from __future__ import annotations

import pytest

from citygeo.io.restrictions import Member, RestrictionLog
from citygeo.io.streets import Restriction
from citygeo.issues import IssueLog

FROM, VIA, TO = Member("w", 1, "from"), Member("n", 5, "via"), Member("w", 2, "to")
PLAIN = {"type": "restriction", "restriction": "no_left_turn"}


def logged(tags, members=(FROM, VIA, TO)):
    log = RestrictionLog()
    log.add(7, tags, list(members))
    return log


def test_a_turn_over_a_node():
    log = logged(PLAIN)
    assert log.found == [Restriction(7, "no_left_turn", (1,), 5, (), (2,))]
    assert (log.malformed, log.at_times) == ({}, [])


def test_a_turn_over_ways_in_their_order():
    members = (TO, Member("w", 8, "via"), FROM, Member("w", 9, "via"), Member("n", 3, "location_hint"))
    assert logged({**PLAIN, "restriction": "only_straight_on"}, members).found == [
        Restriction(7, "only_straight_on", (1,), None, (8, 9), (2,))
    ]


@pytest.mark.parametrize(
    ("except_", "exempt"),
    [
        ("psv", ("psv",)),
        ("psv;bicycle", ("psv", "bicycle")),
        (" bus ; ;emergency,hgv", ("bus", "emergency", "hgv")),
    ],
)
def test_except(except_, exempt):
    assert logged({**PLAIN, "except": except_}).found[0].exempt == exempt


def test_a_vehicle_and_all_others_in_one_relation():
    tags = {"type": "restriction", "restriction:hgv": "no_u_turn", "restriction": "no_left_turn"}
    assert [(one.kind, one.vehicle) for one in logged(tags).found] == [
        ("no_left_turn", None),
        ("no_u_turn", "hgv"),
    ]


def test_entries_and_exits_may_have_several_ways():
    entry = logged({**PLAIN, "restriction": "no_entry"}, (FROM, Member("w", 3, "from"), VIA, TO)).found
    assert (entry[0].from_way, entry[0].to_way) == ((1, 3), (2,))
    leave = logged({**PLAIN, "restriction": "no_exit"}, (FROM, VIA, TO, Member("w", 3, "to"))).found
    assert (leave[0].from_way, leave[0].to_way) == ((1,), (2, 3))


@pytest.mark.parametrize(
    ("tags", "kinds"),
    [
        ({"restriction:conditional": "no_left_turn @ (Mo-Fr 07:00-09:00)"}, []),
        ({"restriction:hgv:conditional": "no_left_turn @ (22:00-06:00)"}, []),
        ({**PLAIN, "restriction:conditional": "no_u_turn @ (22:00-06:00)"}, ["no_left_turn"]),
        ({**PLAIN, "day_on": "Monday", "day_off": "Friday"}, []),
        ({**PLAIN, "hour_on": "07:00"}, []),
    ],
)
def test_what_holds_at_times_only_is_left_out_and_counted(tags, kinds):
    log = logged({"type": "restriction", **tags})
    assert [one.kind for one in log.found] == kinds
    assert (log.at_times, log.malformed) == ([7], {})


@pytest.mark.parametrize(
    ("tags", "members", "why"),
    [
        (PLAIN, (FROM, VIA), "no to"),
        (PLAIN, (TO, VIA), "no from"),
        (PLAIN, (FROM, TO), "no via"),
        (PLAIN, (), "no from"),
        (PLAIN, (FROM, Member("w", 3, "from"), VIA, TO), "several from"),
        (PLAIN, (FROM, VIA, TO, Member("w", 3, "to")), "several to"),
        ({**PLAIN, "restriction": "no_entry"}, (FROM, VIA, TO, Member("w", 3, "to")), "several to"),
        (PLAIN, (FROM, VIA, Member("n", 6, "via"), TO), "several via"),
        (PLAIN, (FROM, VIA, Member("w", 6, "via"), TO), "several via"),
        (PLAIN, (Member("n", 1, "from"), VIA, TO), "from of the wrong kind"),
        (PLAIN, (FROM, Member("r", 6, "via"), TO), "via of the wrong kind"),
        ({**PLAIN, "restriction": "left_turn"}, (FROM, VIA, TO), "restriction=left_turn"),
        ({"type": "restriction"}, (FROM, VIA, TO), "no restriction tag"),
        ({"type": "restriction", "restriction:hgv": "yes"}, (FROM, VIA, TO), "restriction:hgv=yes"),
    ],
)
def test_what_cannot_be_understood_is_counted(tags, members, why):
    log = logged(tags, members)
    assert (log.found, log.malformed) == ([], {7: why})


def test_other_relations_are_none_of_ours():
    log = logged({"type": "boundary", "restriction": "no_left_turn"})
    assert (log.found, log.malformed, log.at_times) == ([], {}, [])


def test_report():
    log, issues = logged({"type": "restriction"}), IssueLog()
    log.add(8, PLAIN, [FROM])
    log.add(9, {"type": "restriction", "restriction:conditional": "no_u_turn @ wet"}, [FROM, VIA, TO])
    log.report(issues, "city.osm")
    assert [(one.code, one.severity, one.count, one.sample) for one in issues.found] == [
        ("CG-NET-062", "info", 2, ("7", "8")),
        ("CG-NET-063", "info", 1, ("9",)),
    ]
    assert "no restriction tag, no to" in issues.found[0].message
    nothing = IssueLog()
    RestrictionLog().report(nothing, "city.osm")
    assert nothing.found == []
