from __future__ import annotations

import json
import re
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from jinja2 import Template

import citygeo.viz
from citygeo.viz.escape import esc, js
from tests.viz.fakes import HOSTILE


@pytest.mark.parametrize("text", HOSTILE)
def test_js_gives_back_what_went_in(text: str) -> None:
    assert json.loads(js({text: [text]})) == {text: [text]}


@given(
    st.recursive(st.text() | st.integers() | st.none(), lambda s: st.lists(s) | st.dictionaries(st.text(), s))
)
def test_js_round_trips_any_json_and_holds_nothing_active(obj: object) -> None:
    text = js(obj)
    assert json.loads(text) == obj
    assert not set("<>&'`$\u2028\u2029") & set(text)
    assert "{{" not in text
    assert "{%" not in text
    assert "{#" not in text


@pytest.mark.parametrize("value", [float("nan"), float("inf")])
def test_js_refuses_numbers_that_json_lacks(value: float) -> None:
    with pytest.raises(ValueError, match="not JSON compliant"):
        js([value])


@pytest.mark.parametrize("text", HOSTILE)
def test_esc_survives_html_and_a_second_rendering_by_jinja(text: str) -> None:
    import html

    safe = esc(text)
    assert not set("<>\"'`${}\\") & set(safe)
    assert html.unescape(Template(safe).render()) == text


def test_no_other_module_builds_markup() -> None:
    """Markup stands in escape.py, page.py (fixed skeleton, every value through esc or js) and templates."""
    allowed = {
        "escape.py": set(),
        "page.py": {"!--", "!DOCTYPE", "html", "head", "meta", "title", "body", "style", "script"},
        "map.py": {"div"},  # one constant container
        "qml.py": {"!DOCTYPE"},
    }
    folder = Path(citygeo.viz.__file__).parent
    found = {}
    for path in sorted(folder.rglob("*.py")):
        code = re.sub(r'"""[\s\S]*?"""|#.*', "", path.read_text(encoding="utf-8"))
        tags = set(re.findall(r"[\"'][^\"'\n]*?<(!--|!?[A-Za-z]+)[\s>/]", code))
        if tags - allowed.get(path.name, set()) and path.name != "escape.py":
            found[path.name] = tags
    assert found == {}


def test_templates_never_turn_text_into_markup_or_code() -> None:
    folder = Path(citygeo.viz.__file__).parent / "templates"
    scripts = "\n".join(path.read_text(encoding="utf-8") for path in sorted(folder.glob("*.js")))
    assert "textContent" in scripts
    for sink in (
        "innerHTML",
        "outerHTML",
        "insertAdjacentHTML",
        "document.write",
        "eval(",
        "new Function",
        "fetch(",
    ):
        assert sink not in scripts
    assert not re.search(r"https?://(?!www\.w3\.org/2000/svg)", scripts)


def test_templates_and_modules_stay_short() -> None:
    folder = Path(citygeo.viz.__file__).parent
    lengths = {p.name: len(p.read_text(encoding="utf-8").splitlines()) for p in folder.rglob("*.*") if p.suffix in {".py", ".js", ".css"}}  # fmt: skip # noqa: E501
    assert {name: length for name, length in lengths.items() if length > 400} == {}
