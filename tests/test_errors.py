"""Messages: each complete in both languages, used, raised by a test, and given all the data it names."""

from __future__ import annotations

import ast
import copy
import pickle
import re
import string
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

import citygeo
from citygeo import errors
from citygeo.errors import CitygeoError, error, messages

if TYPE_CHECKING:
    from collections.abc import Iterator

PACKAGE = Path(citygeo.__file__).parent
TESTS = Path(__file__).parent
CODES = sorted(messages())
ERRORS = [code for code in CODES if messages()[code].severity == "error"]
# what IssueLog.add fills in by itself
COUNTED = {"count", "sample"}
BUILTINS = {
    "InputError": ValueError, "CRSError": ValueError, "GeometryError": ValueError, "UnitError": ValueError,
    "NetworkError": ValueError, "FileError": OSError, "FileFormatError": ValueError,
    "UnsafeInputError": ValueError, "LimitError": MemoryError, "MissingExtraError": ImportError,
    "RunError": RuntimeError,
}  # fmt: skip


def placeholders(*texts: str) -> set[str]:
    return {field for text in texts for _, field, _, _ in string.Formatter().parse(text) if field}


def english(code: str) -> set[str]:
    entry = messages()[code]
    return placeholders(entry.what, entry.why, entry.fix)


def made(code: str) -> CitygeoError:
    return error(code, **{name: f"<{name}>" for name in english(code)})


# --- the table ------------------------------------------------------------------------------------


@pytest.mark.parametrize("code", CODES)
def test_message_is_complete_in_both_languages(code: str) -> None:
    entry = messages()[code]
    assert re.fullmatch(r"CG-[A-Z]+[0-9]?-\d{3}", code)
    assert entry.severity in ("error", "warning", "info")
    assert entry.what.strip()
    assert entry.why.strip() or entry.severity == "info"
    assert entry.fix.strip() or entry.severity == "info"
    assert re.search("[\u4e00-\u9fff]", entry.zh)
    assert not re.search("[\u4e00-\u9fff]", entry.what + entry.why + entry.fix)


@pytest.mark.parametrize("code", CODES)
def test_message_names_its_class_only_if_it_is_raised(code: str) -> None:
    entry = messages()[code]
    if entry.severity == "error":
        assert issubclass(getattr(errors, entry.error), CitygeoError)
    else:
        assert entry.error == ""


@pytest.mark.parametrize("code", CODES)
def test_chinese_text_needs_no_data_that_the_english_does_not(code: str) -> None:
    assert placeholders(messages()[code].zh) <= english(code)


def test_every_class_is_a_builtin_error_too() -> None:
    for name, builtin in BUILTINS.items():
        assert issubclass(getattr(errors, name), builtin)
        assert issubclass(getattr(errors, name), CitygeoError)
    assert set(errors._CLASSES) == set(BUILTINS)


# --- the errors -----------------------------------------------------------------------------------


@pytest.mark.parametrize("code", ERRORS)
def test_error_survives_pickle_and_copy(code: str) -> None:
    first = made(code)
    for other in (pickle.loads(pickle.dumps(first)), copy.copy(first), copy.deepcopy(first)):
        assert type(other) is type(first)
        assert (str(other), other.zh, other.code, other.data) == (
            str(first),
            first.zh,
            first.code,
            first.data,
        )


@pytest.mark.parametrize("code", ERRORS)
def test_error_shows_code_and_all_its_data(code: str) -> None:
    problem = made(code)
    assert str(problem).startswith(f"{code}: ")
    assert "\n" not in str(problem)
    for name in english(code):
        assert f"<{name}>" in str(problem)
    assert problem.what in str(problem)
    assert problem.zh


def test_unknown_code_is_a_bug_not_an_empty_message() -> None:
    with pytest.raises(KeyError):
        error("CG-NONE-001")


def test_braces_in_data_are_text() -> None:
    problem = error("CG-IN-001", layer="{layer} {0} %s")
    assert "{layer} {0} %s has 0 rows" in str(problem)


# --- the uses -------------------------------------------------------------------------------------


def sources(folder: Path) -> Iterator[tuple[Path, str]]:
    for path in sorted(folder.rglob("*.py")):
        yield path, path.read_text(encoding="utf-8")


def codes_in(text: str) -> set[str]:
    return set(re.findall(r"CG-[A-Z]+[0-9]?-\d{3}", text))


def calls() -> Iterator[tuple[str, str, str, set[str]]]:
    """Yield place, function, code and keywords of each call that names a code and spells its data out."""
    for path, text in sources(PACKAGE):
        for node in ast.walk(ast.parse(text)):
            if not isinstance(node, ast.Call) or not node.args or not isinstance(node.args[0], ast.Constant):
                continue
            code, function = node.args[0].value, node.func
            name = function.attr if isinstance(function, ast.Attribute) else getattr(function, "id", "")
            keywords = {keyword.arg for keyword in node.keywords}
            if isinstance(code, str) and code.startswith("CG-") and None not in keywords:
                place = f"{path.relative_to(PACKAGE)}:{node.lineno}"
                yield place, name, code, {keyword for keyword in keywords if keyword}


def test_no_message_is_dead_and_no_code_is_unknown() -> None:
    # docstrings name codes too, so what counts as use is a text constant that is nothing but the code
    used = {
        node.value
        for _, text in sources(PACKAGE)
        for node in ast.walk(ast.parse(text))
        if isinstance(node, ast.Constant) and isinstance(node.value, str) and node.value in messages()
    }
    named = {code for _, text in sources(PACKAGE) for code in codes_in(text)}
    assert {"dead": sorted(set(CODES) - used), "unknown": sorted(named - set(CODES))} == {
        "dead": [],
        "unknown": [],
    }


def test_every_call_gives_its_message_exactly_the_data_it_names() -> None:
    faults = []
    for place, name, code, keywords in calls():
        given = keywords | COUNTED if name == "add" else keywords
        allowed = english(code) | COUNTED if name == "add" else english(code)
        if name in ("add", "error") and not english(code) <= given <= allowed:
            faults.append((place, code, sorted(english(code) ^ keywords)))
    assert faults == []


def test_errors_are_raised_and_findings_are_logged() -> None:
    severity = {"error": ("error",), "add": ("warning", "info")}
    wrong = [
        (place, code)
        for place, name, code, _ in calls()
        if name in severity and messages()[code].severity not in severity[name]
    ]
    assert wrong == []


def test_every_error_is_raised_by_some_test() -> None:
    tested = {code for path, text in sources(TESTS) if path != Path(__file__) for code in codes_in(text)}
    assert sorted(set(ERRORS) - tested) == []
