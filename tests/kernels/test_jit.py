"""Where compiled code may be kept: a folder of one's own, else nowhere, and never an exception."""

from __future__ import annotations

import pytest

from citygeo._kernels import _jit
from citygeo.errors import CitygeoWarning

decide = _jit._can_cache.__wrapped__


def test_a_folder_of_ones_own_is_used(tmp_path, monkeypatch):
    tmp_path.chmod(0o700)
    monkeypatch.setenv("NUMBA_CACHE_DIR", str(tmp_path))
    assert decide()


@pytest.mark.parametrize("mode", [0o770, 0o702, 0o777])
def test_a_folder_that_others_may_write_to_is_not(tmp_path, monkeypatch, mode):
    tmp_path.chmod(mode)
    monkeypatch.setenv("NUMBA_CACHE_DIR", str(tmp_path))
    with pytest.warns(CitygeoWarning, match="CG-SEC-005: Others may write"):
        assert not decide()


def test_a_folder_that_does_not_exist_yet_is_used(tmp_path, monkeypatch):
    monkeypatch.setenv("NUMBA_CACHE_DIR", str(tmp_path / "new"))
    assert decide()


def test_no_writable_folder_is_one_warning(tmp_path, monkeypatch):
    monkeypatch.delenv("NUMBA_CACHE_DIR", raising=False)
    (tmp_path / "file").touch()
    monkeypatch.setattr(_jit, "__file__", str(tmp_path / "file" / "_jit.py"))  # a file is no folder
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "file"))
    with pytest.warns(CitygeoWarning, match="CG-RUN-002"):
        assert not decide()


def test_the_users_cache_is_the_second_choice(tmp_path, monkeypatch):
    monkeypatch.delenv("NUMBA_CACHE_DIR", raising=False)
    (tmp_path / "file").touch()
    monkeypatch.setattr(_jit, "__file__", str(tmp_path / "file" / "_jit.py"))
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    assert decide()
    assert (tmp_path / "cache" / "numba").is_dir()
