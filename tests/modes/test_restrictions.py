"""Whom turn restrictions bind, as a table worked out by hand."""

from __future__ import annotations

import pytest

from citygeo.io.streets import Restriction
from citygeo.modes import mode_names, travel_mode

# Mode, the only vehicle the restriction names ("all": restriction=*, "hgv": restriction:hgv=*), the exceptions
# (except=*, "-" for none), and whether the mode obeys.
TABLE = """
drive        all            -                     obeys
drive        all            bus                   obeys
drive        all            psv;bicycle           obeys
drive        all            motorcar              ignores
drive        all            motor_vehicle         ignores
drive        all            bicycle;motorcar      ignores
drive        motorcar       -                     obeys
drive        motor_vehicle  -                     obeys
drive        hgv            -                     ignores
drive        bicycle        -                     ignores
drive        motorcar       motorcar              ignores
bus          all            -                     obeys
bus          all            psv                   ignores
bus          all            bus                   ignores
bus          all            motorcar              obeys
bus          psv            -                     obeys
bus          motorcar       -                     ignores
fire_engine  all            -                     obeys
fire_engine  all            emergency             ignores
fire_engine  all            psv                   obeys
fire_engine  hgv            -                     ignores
ambulance    all            -                     obeys
ambulance    all            emergency             ignores
bike         all            -                     obeys
bike         all            bicycle               ignores
bike         motor_vehicle  -                     ignores
bike         bicycle        -                     obeys
walk         all            -                     ignores
walk         foot           -                     ignores
wheelchair   all            -                     ignores
"""
ROWS = [line.split() for line in TABLE.strip().splitlines()]


def restriction(vehicle, exempt):
    return Restriction(
        7, "no_left_turn", (1,), 5, (), (2,),
        vehicle=None if vehicle == "all" else vehicle,
        exempt=() if exempt == "-" else tuple(exempt.split(";")),
    )  # fmt: skip


@pytest.mark.parametrize("row", ROWS, ids=" ".join)
def test_obeys_by_hand(row):
    name, vehicle, exempt, answer = row
    assert travel_mode(name).obeys(restriction(vehicle, exempt)) == (answer == "obeys")


def test_the_table_names_every_mode():
    assert {row[0] for row in ROWS} == set(mode_names())


def test_emergency_vehicles_can_be_exempt():
    assert not travel_mode("fire_engine", vehicles=()).obeys(restriction("all", "-"))


def test_a_lorry_is_a_matter_of_its_names():
    lorry = travel_mode("drive", vehicles=("vehicle", "motor_vehicle", "goods", "hgv"))
    assert lorry.obeys(restriction("hgv", "-"))
    assert not lorry.obeys(restriction("all", "hgv"))
    assert lorry.obeys(restriction("all", "motorcar"))
