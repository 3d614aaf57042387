"""Findings that do not stop a run: counted, sampled and kept with the result."""

from __future__ import annotations

import warnings
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from citygeo.errors import CitygeoWarning, messages, render

if TYPE_CHECKING:
    from collections.abc import Iterable

    import pandas as pd

SAMPLE_SIZE = 5
COLUMNS = ["code", "severity", "count", "sample", "message"]


@dataclass(frozen=True)
class Issue:
    """One finding: its code, how often it was seen, the first ids, and the sentence."""

    code: str
    severity: str
    count: int
    sample: tuple[str, ...]
    message: str


@dataclass
class IssueLog:
    """
    Collect findings while a result is made.

    Examples
    --------
    >>> log = IssueLog()
    >>> log.add("CG-GEO-002", count=2, sample=["a", "b"], layer="stations")
    >>> log.table()[["code", "severity", "count"]].to_numpy().tolist()
    [['CG-GEO-002', 'warning', 2]]
    """

    found: list[Issue] = field(default_factory=list)

    def add(self, code: str, *, count: int = 1, sample: Iterable[object] = (), **data: object) -> None:
        """Record a finding; nothing happens when `count` is 0."""
        if count:
            ids = tuple(str(item) for item, _ in zip(sample, range(SAMPLE_SIZE), strict=False))
            what, why, fix = render(code, {"count": count, "sample": ", ".join(ids), **data})
            text = " ".join(part for part in (what, why, fix) if part)
            self.found.append(Issue(code, messages()[code].severity, count, ids, text))

    def extend(self, other: Iterable[Issue]) -> None:
        """Take over findings of an input, each once."""
        self.found += [item for item in other if item not in self.found]

    def announce(self, *, stacklevel: int = 3) -> None:
        """Warn the caller of the public function once, with all findings that are warnings."""
        found = [f"{item.code}: {item.message}" for item in self.found if item.severity == "warning"]
        if found:
            warnings.warn("\n".join(found), CitygeoWarning, stacklevel=stacklevel)

    def table(self) -> pd.DataFrame:
        """Return the findings as a table, one row each."""
        import pandas as pd

        rows = [(i.code, i.severity, i.count, ", ".join(i.sample), i.message) for i in self.found]
        return pd.DataFrame(rows, columns=COLUMNS)
