"""
The errors citygeo raises, each with a code, what is wrong, why, and how to fix it.

The texts live in ``data/messages.toml``, where the same codes also fill ``.issues`` tables.

::

    CitygeoError
    + InputError (ValueError)             an argument breaks its written contract
      - CRSError, GeometryError, UnitError
    + NetworkError (ValueError)           the road network cannot answer
    + FileError (OSError)                 missing, damaged or locked file
      - FileFormatError (ValueError)      not the format it should be
    + UnsafeInputError (ValueError)       refused because reading it could do harm
    + LimitError (MemoryError)            would need more than the stated limit
    + MissingExtraError (ImportError)     names the extra to install
    + RunError (RuntimeError)             the run itself failed
    CitygeoWarning (UserWarning)          the result stands, but look
"""

from __future__ import annotations

import tomllib
from functools import cache
from importlib.resources import files
from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Mapping


class Message(NamedTuple):
    """One entry of ``data/messages.toml``."""

    severity: str
    error: str
    what: str
    why: str
    fix: str
    zh: str


@cache
def messages() -> dict[str, Message]:
    """Return every message by its code."""
    text = files("citygeo").joinpath("data", "messages.toml").read_text(encoding="utf-8")
    return {code: Message(**entry) for code, entry in tomllib.loads(text).items()}


def render(code: str, data: Mapping[str, object]) -> tuple[str, str, str]:
    """Return what, why and fix of a message with its data filled in."""
    entry = messages()[code]
    what, why, fix = (text.format(**data) for text in (entry.what, entry.why, entry.fix))
    return what, why, fix


class CitygeoError(Exception):
    """
    Base of all errors of citygeo; also an instance of a builtin error.

    Parameters
    ----------
    code
        A code of ``data/messages.toml``, such as ``"CG-CRS-001"``.
    data
        Values for the text: argument, counts, sample ids.

    Examples
    --------
    >>> raise error("CG-FILE-001", path="citty.osm.pbf", folder=".", near="city.osm.pbf")
    Traceback (most recent call last):
        ...
    citygeo.errors.FileError: CG-FILE-001: citty.osm.pbf not found under .; near: city.osm.pbf. ...
    """

    def __init__(self, code: str, data: Mapping[str, object] | None = None) -> None:
        self.code = code
        self.data = dict(data or {})
        self.what, self.why, self.fix = render(code, self.data)
        super().__init__(str(self))

    def __str__(self) -> str:
        return f"{self.code}: " + " ".join(part for part in (self.what, self.why, self.fix) if part)

    def __reduce__(self) -> tuple[type[CitygeoError], tuple[str, dict[str, object]]]:
        # the mixes with OSError and ImportError do not survive pickling to a worker without this
        return type(self), (self.code, self.data)

    @property
    def zh(self) -> str:
        """The same sentence in Chinese (中文说明)."""
        return messages()[self.code].zh.format(**self.data)


class InputError(CitygeoError, ValueError):
    """An argument breaks its written contract."""


class CRSError(InputError):
    """A layer has no CRS, an unusable one, or swapped axes."""


class GeometryError(InputError):
    """Geometry is missing or unusable."""


class UnitError(InputError):
    """A number is not in the unit asked for."""


class NetworkError(CitygeoError, ValueError):
    """The road network is unusable or cannot answer."""


class FileError(CitygeoError, OSError):
    """A file is missing, damaged or locked."""


class FileFormatError(FileError, ValueError):
    """A file is not in the format it should be in."""


class UnsafeInputError(CitygeoError, ValueError):
    """An input was refused because reading it could do harm."""


class LimitError(CitygeoError, MemoryError):
    """The work would need more than the stated limit."""


class MissingExtraError(CitygeoError, ImportError):
    """An optional package is not installed."""


class RunError(CitygeoError, RuntimeError):
    """The run itself failed."""


class CitygeoWarning(UserWarning):
    """The result stands, but look."""


_CLASSES = {
    cls.__name__: cls
    for cls in (
        InputError, CRSError, GeometryError, UnitError, NetworkError, FileError, FileFormatError,
        UnsafeInputError, LimitError, MissingExtraError, RunError,
    )
}  # fmt: skip


def error(code: str, **data: object) -> CitygeoError:
    """Return the error of a code, of the class its entry names, ready to raise."""
    return _CLASSES[messages()[code].error](code, data)
