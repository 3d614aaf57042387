"""The public face: names, light import, version."""

from __future__ import annotations

import ast
import subprocess
import sys
import tomllib
from pathlib import Path
from types import ModuleType

import pytest

import citygeo as cg

PACKAGE = Path(cg.__file__).parent
ROOT = PACKAGE.parent
HEAVY = {
    "numba",
    "numpy",
    "pandas",
    "geopandas",
    "shapely",
    "folium",
    "osmium",
    "h3",
    "scipy",
    "pyproj",
    "pyarrow",
}


def names_in_stub():
    tree = ast.parse((PACKAGE / "__init__.pyi").read_text(encoding="utf-8"))
    imported = {
        alias.asname for node in tree.body if isinstance(node, ast.ImportFrom) for alias in node.names
    }
    return imported | {node.target.id for node in tree.body if isinstance(node, ast.AnnAssign)}


def test_public_names_equal_the_stub():
    assert set(cg.__all__) == names_in_stub()


@pytest.mark.parametrize("name", cg.__all__)
def test_every_public_name_loads_and_is_documented(name):
    value = getattr(cg, name)
    assert value is getattr(cg, name)
    if name != "__version__":
        assert value.__doc__
    assert name in dir(cg)


def test_an_unknown_name_is_an_attribute_error():
    with pytest.raises(AttributeError, match="no attribute 'isochrone'"):
        _ = cg.isochrone


def run(code):
    return subprocess.run(
        [sys.executable, "-c", code], check=True, capture_output=True, text=True
    ).stdout.split()


def test_importing_loads_nothing_heavy():
    loaded = set(run("import sys, citygeo; print(*sys.modules)"))
    assert not loaded & HEAVY
    assert "citygeo" in loaded


def test_a_function_named_like_its_module_stays_a_function():
    """Importing the module first must not hide the function."""
    code = "import citygeo.coverage; import citygeo as cg; print(callable(cg.coverage), type(cg.coverage).__name__)"
    assert run(code) == ["True", "function"]
    assert not isinstance(cg.coverage, ModuleType)


def test_versions_agree():
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    citation = (ROOT / "CITATION.cff").read_text(encoding="utf-8")
    assert project["version"] == cg.__version__
    assert f"version: {cg.__version__}\n" in citation


def test_only_one_file_spells_numba_options():
    users = [path.name for path in PACKAGE.rglob("*.py") if "njit" in path.read_text(encoding="utf-8")]
    assert users == ["_jit.py"]
