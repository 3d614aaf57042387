"""Compiled code: where it is kept, what happens if it cannot be, and one version of each function."""

from __future__ import annotations

import importlib.util
import os
import shutil
import subprocess
import sys
import zipfile
from pathlib import Path

import numpy as np
import pytest

import citygeo
from citygeo._kernels import _jit
from citygeo._kernels._jit import compiled_kernels
from citygeo.errors import CitygeoWarning

PACKAGE = Path(citygeo.__file__).parent
IS_PLAIN = bool(getattr(_jit.config, "DISABLE_JIT", 0))
needs_compiler = pytest.mark.skipif(IS_PLAIN, reason="NUMBA_DISABLE_JIT is set")

# two modules, so that what is said once is not said once per module
USE = """
import numpy as np
from citygeo._kernels import _jit, cellbits, chains

place, key = np.arange(4), np.empty(4, np.int64)
chains.hilbert_keys(place, place, 8, key)
assert key.tolist() == [0, 2, 8, 10], key
print(_jit.__file__, *(one.n_compiled for one in _jit.compiled_kernels()))
"""


@pytest.fixture
def installed(tmp_path):
    """The package where it cannot be written to: even root cannot make a folder where a file is."""
    folder = tmp_path / "site"
    shutil.copytree(PACKAGE, folder / "citygeo", ignore=shutil.ignore_patterns("__pycache__", "data_samples"))
    (folder / "citygeo" / "_kernels" / "__pycache__").touch()
    return folder


def use(where, **environment):
    """Call a kernel in a fresh process; return how many functions were compiled, and what was said on stderr."""
    variables = {
        name: value
        for name, value in os.environ.items()
        if not name.startswith("NUMBA_") and name != "XDG_CACHE_HOME"
    }
    done = subprocess.run(
        [sys.executable, "-c", USE], capture_output=True, text=True, check=False, cwd=where.parent,
        env=variables | {"PYTHONPATH": str(where)} | environment,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    file, *n_compiled = done.stdout.split()
    assert Path(file).is_relative_to(where)
    return sum(map(int, n_compiled)), done.stderr


def test_an_install_that_cannot_be_written_to_uses_the_users_cache(installed, tmp_path):
    caches = {"XDG_CACHE_HOME": str(tmp_path / "cache")}
    assert use(installed, **caches) == (1, "")
    assert use(installed, **caches) == (0, "")


def test_the_users_cache_is_below_home(installed, tmp_path):
    assert use(installed, HOME=str(tmp_path)) == (1, "")
    assert use(installed, HOME=str(tmp_path)) == (0, "")
    assert list((tmp_path / ".cache" / "numba").rglob("*.nbc"))


def test_a_chosen_folder_that_cannot_be_made_is_passed_over(installed, tmp_path):
    (tmp_path / "file").touch()
    where = {"NUMBA_CACHE_DIR": str(tmp_path / "file" / "chosen"), "HOME": str(tmp_path)}
    assert use(installed, **where) == (1, "")
    assert use(installed, **where) == (0, "")


@pytest.mark.parametrize("chosen", [{}, {"NUMBA_CACHE_DIR": "file/chosen"}, {"XDG_CACHE_HOME": "file/cache"}])
def test_without_any_folder_one_warning_and_no_exception(installed, tmp_path, chosen):
    (tmp_path / "file").touch()
    where = {name: str(tmp_path / path) for name, path in ({"HOME": "file/home"} | chosen).items()}
    n_compiled, said = use(installed, **where)
    assert n_compiled == 1
    assert said.count("CG-RUN-002: No folder for compiled code is writable.") == 1
    assert said.count("Warning") == 1


def test_a_zipped_package_uses_the_users_cache(installed, tmp_path):
    packed = tmp_path / "packed.zip"
    with zipfile.ZipFile(packed, "w") as archive:
        for path in installed.rglob("*"):
            if path.name != "__pycache__":
                archive.write(path, path.relative_to(installed))
    where = {"XDG_CACHE_HOME": str(tmp_path / "cache")}
    assert use(packed, **where) == (1, "")
    assert use(packed, **where) == (0, "")
    (tmp_path / "file").touch()
    n_compiled, said = use(packed, XDG_CACHE_HOME=str(tmp_path / "file" / "cache"))
    assert n_compiled == 1
    assert said.count("CG-RUN-002") == 1


# --- one function of a file, loaded as often as a test likes -----------------------------------------

SUM = """
from citygeo._kernels._jit import kernel

@kernel
def _add(total, value):
    return total + value

@kernel
def total(values, start):
    result = _add(start, 0)
    for i in range(values.size):
        result = _add(result, values[i])
    return _add(result, 1)
"""


@pytest.fixture
def load(tmp_path, monkeypatch):
    """Load the file as a fresh process would, and return its function; compiled code is in ``cache``."""
    monkeypatch.setattr(_jit.config, "CACHE_DIR", str(tmp_path / "cache"))
    monkeypatch.setattr(_jit, "_made", [])
    _jit._is_cache_safe.cache_clear()
    _jit._warn.cache_clear()
    path = tmp_path / "sums.py"
    path.write_text(SUM)

    def fresh():
        _jit._made.clear()
        spec = importlib.util.spec_from_file_location("sums", path)
        module = importlib.util.module_from_spec(spec)
        spec.loader.exec_module(module)
        return module

    yield fresh
    _jit._is_cache_safe.cache_clear()
    _jit._warn.cache_clear()


def compiled():
    """Names of functions with the number of versions, and of those not found in the cache."""
    return {one.name: (len(one.signatures), one.n_compiled) for one in compiled_kernels()}


@needs_compiler
def test_a_function_called_with_constants_is_compiled_once(load):
    assert load().total(np.arange(4), 10) == 17
    assert compiled() == {"sums._add": (1, 1), "sums.total": (1, 1)}


@needs_compiler
def test_what_the_cache_has_is_not_compiled(load):
    load().total(np.arange(4), 10)
    assert load().total(np.arange(4), 10) == 17
    assert compiled() == {"sums.total": (1, 0)}


@needs_compiler
def test_a_function_for_kernels_only_can_be_tested(load):
    module = load()
    assert module._add(1, 2) == 3
    module.total(np.arange(4), 10)
    assert module._add(1, 2) == 3
    assert load()._add(1.5, 2) == 3.5


DAMAGES = {
    "empty": lambda _: b"",
    "cut": lambda content: content[: len(content) // 2],
    "zeros": lambda content: bytes(len(content)),
    "text": lambda _: b"not a pickle at all",
}


@needs_compiler
@pytest.mark.parametrize("suffix", ["nbi", "nbc"])
@pytest.mark.parametrize("damage", DAMAGES)
def test_damaged_files_are_compiled_anew_and_replaced(load, tmp_path, suffix, damage):
    load().total(np.arange(4), 10)
    [file] = (tmp_path / "cache").rglob(f"*.total-*.{suffix}")
    file.write_bytes(DAMAGES[damage](file.read_bytes()))
    assert load().total(np.arange(4), 10) == 17
    assert compiled()["sums.total"] == (1, 1)
    assert load().total(np.arange(4), 10) == 17
    assert compiled() == {"sums.total": (1, 0)}


@needs_compiler
def test_a_folder_that_is_lost_meanwhile_is_one_warning(load, tmp_path):
    module = load()
    shutil.rmtree(tmp_path / "cache")
    (tmp_path / "cache").touch()
    with pytest.warns(CitygeoWarning, match="CG-RUN-002") as said:
        assert module.total(np.arange(4), 10) == 17
    assert len(said) == 1


@needs_compiler
def test_numba_does_not_load_scipy_for_us_and_still_multiplies_matrices():
    code = USE + (
        "import sys, numba; assert 'scipy.linalg' not in sys.modules\n"
        "square = numba.njit(lambda a: a @ a); assert square(np.eye(2) * 3)[0, 0] == 9\n"
        "assert 'scipy.linalg' in sys.modules\n"
        "from numba.np import linalg; assert linalg.ensure_blas.__name__ == 'ensure_blas'"
    )
    subprocess.run([sys.executable, "-c", code], check=True, capture_output=True, cwd=PACKAGE.parent)


# --- folders that others may write to -----------------------------------------------------------------


@pytest.fixture
def decide(monkeypatch):
    """Tell whether numba may use a folder it was told to."""

    def ask(folder):
        monkeypatch.setattr(_jit.config, "CACHE_DIR", str(folder))
        _jit._warn.cache_clear()
        return _jit._is_cache_safe.__wrapped__()

    yield ask
    _jit._warn.cache_clear()


def test_a_folder_of_ones_own_is_used(tmp_path, decide):
    tmp_path.chmod(0o700)
    assert decide(tmp_path)
    assert decide("")


@pytest.mark.parametrize("mode", [0o770, 0o702, 0o777])
def test_a_folder_that_others_may_write_to_is_not(tmp_path, decide, mode):
    tmp_path.chmod(mode)
    with pytest.warns(CitygeoWarning, match="CG-SEC-005: Others may write"):
        assert not decide(tmp_path)


def test_a_folder_that_does_not_exist_yet_is_made_for_oneself(tmp_path, decide):
    before = os.umask(0o002)
    try:
        assert decide(tmp_path / "new" / "folder")
    finally:
        os.umask(before)
    assert (tmp_path / "new" / "folder").stat().st_mode & 0o777 == 0o700
    assert decide(tmp_path / "new" / "folder")


@needs_compiler
def test_code_that_others_may_have_written_is_not_loaded(load, tmp_path):
    load().total(np.arange(4), 10)
    (tmp_path / "cache").chmod(0o777)
    _jit._is_cache_safe.cache_clear()
    with pytest.warns(CitygeoWarning, match="CG-SEC-005") as said:
        assert load().total(np.arange(4), 10) == 17
    assert len(said) == 1
    assert compiled()["sums.total"] == (1, 1)
