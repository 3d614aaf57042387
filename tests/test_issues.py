"""Findings: counted, sampled, shown once."""

from __future__ import annotations

import copy
import pickle

import pytest

from citygeo.errors import CitygeoWarning
from citygeo.issues import COLUMNS, SAMPLE_SIZE, IssueLog


def log_of(*codes: str) -> IssueLog:
    log = IssueLog()
    for code in codes:
        log.add(code, layer="stations", path="a.csv")
    return log


def test_finding_has_code_severity_count_first_ids_and_sentence() -> None:
    log = IssueLog()
    log.add("CG-GEO-002", count=7, sample=range(7), layer="stations")
    (found,) = log.found
    assert (found.code, found.severity, found.count) == ("CG-GEO-002", "warning", 7)
    assert found.sample == ("0", "1", "2", "3", "4")
    assert found.message.startswith("7 rows of stations have no geometry: 0, 1, 2, 3, 4.")


def test_sample_is_short_however_long_the_list() -> None:
    log = IssueLog()
    log.add("CG-GEO-002", count=10**9, sample=iter(range(10**9)), layer="stations")
    assert len(log.found[0].sample) == SAMPLE_SIZE


def test_count_of_zero_records_nothing() -> None:
    log = IssueLog()
    log.add("CG-GEO-002", count=0, layer="stations")
    assert log.found == []


def test_extend_takes_each_finding_once() -> None:
    log = log_of("CG-GEO-002")
    log.extend(log_of("CG-GEO-002", "CG-ENC-001").found)
    log.extend(log_of("CG-GEO-002", "CG-ENC-001").found)
    assert [item.code for item in log.found] == ["CG-GEO-002", "CG-ENC-001"]


def test_table_has_one_row_per_finding_and_its_columns_even_if_empty() -> None:
    assert list(IssueLog().table().columns) == COLUMNS
    table = log_of("CG-GEO-002", "CG-ENC-001").table()
    assert table["code"].tolist() == ["CG-GEO-002", "CG-ENC-001"]
    assert table["count"].tolist() == [1, 1]


def test_announce_is_one_warning_naming_the_codes_and_silent_without_any() -> None:
    IssueLog().announce()
    log = log_of("CG-GEO-002", "CG-ENC-001")
    log.add("CG-NET-032", mode="walk")  # an info is no warning
    with pytest.warns(
        CitygeoWarning, match=r"^CG-GEO-002: 1 rows of stations .*\nCG-ENC-001: a\.csv was"
    ) as caught:
        log.announce()
    assert len(caught) == 1


def test_info_alone_is_not_announced() -> None:
    log = IssueLog()
    log.add("CG-NET-032", mode="walk")
    log.announce()
    assert len(log.found) == 1


def test_missing_data_is_a_bug_at_once() -> None:
    with pytest.raises(KeyError):
        IssueLog().add("CG-GEO-002")


def test_log_survives_pickle_and_copies_are_apart() -> None:
    log = log_of("CG-GEO-002")
    assert pickle.loads(pickle.dumps(log)) == log
    twin = copy.deepcopy(log)
    twin.add("CG-ENC-001", path="a.csv")
    assert len(log.found) == 1
