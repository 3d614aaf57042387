"""What is reached: one or several layers, the columns that are added up, and the places where they stand."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from citygeo import provenance
from citygeo.engine import Places
from citygeo.errors import error
from citygeo.reach.place import place_facilities
from citygeo.reach.standing import standing

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    from citygeo.issues import IssueLog
    from citygeo.network import RoadNetwork
    from citygeo.network.snap_layer import Polygons
    from citygeo.reach.standing import Standing

    Weight = str | Sequence[str] | None

COUNT = "opportunities"
OWN = ("minutes", "status", "snap_distance_m")  # columns that every result has


@dataclass(frozen=True)
class Sum:
    """A column of the result: which layer it adds up, and which of its columns; `None` counts rows."""

    column: str
    layer: str
    weight: str | None


@dataclass(frozen=True)
class Opportunities:
    """
    Layers by name, and what of them is added up.

    Attributes
    ----------
    layers
        Where the rows of each name stand; a layer that was given alone is named ``opportunities``.
    sums
        The columns of the result.
    """

    layers: dict[str, Standing]
    sums: list[Sum]

    @classmethod
    def of(cls, given: Any, weight: Weight | Mapping[str, Weight]) -> Opportunities:
        """
        Return what a caller asks for.

        Raises
        ------
        InputError
            CG-IN-004: names or weights that are not usable.
        """
        if not isinstance(given, Mapping):
            listed = _listed(weight)
            sums = [Sum(COUNT if name is None else f"{name}_reached", COUNT, name) for name in listed]
            return cls({COUNT: standing(given)}, sums)
        if not given or not all(isinstance(name, str) for name in given):
            raise error(
                "CG-IN-004", argument="opportunities", value=list(given), rule="It names one layer or more.",
                hint='For example {"school": schools, "clinic": clinics}.',
            )  # fmt: skip
        weights = weight if isinstance(weight, Mapping) else dict.fromkeys(given, weight)
        if set(weights) != set(given):
            raise error(
                "CG-IN-004", argument="weight", value=sorted(map(str, weights)),
                rule=f"The layers are {', '.join(given)}.", hint="Give a column, or None, for each of the layers.",
            )  # fmt: skip
        wanted = [(name, column) for name in given for column in _listed(weights[name])]
        sums = [
            Sum(f"{name}_reached" if column is None else f"{name}_{column}_reached", name, column)
            for name, column in wanted
        ]
        return cls({name: standing(layer) for name, layer in given.items()}, sums)

    def named(self, name: str) -> str:
        """Return what messages call a layer."""
        return name if name == COUNT else f"{COUNT} {name}"

    def placed(
        self,
        network: RoadNetwork,
        *,
        delay_s: float | str | None,
        max_snap_m: float,
        polygons: Polygons,
        log: IssueLog,
    ) -> Places:
        """Put all layers on the network, one after the other."""
        return Places.joined(
            place_facilities(
                network, stood.places, delay_s=delay_s, max_snap_m=max_snap_m, log=log,
                name=self.named(name), polygons=polygons,
            ).places
            for name, stood in self.layers.items()
        )  # fmt: skip

    def weights(self) -> NDArray[np.float64]:
        """Return what each row of all layers adds to each sum, `(rows, sums)`."""
        return np.column_stack(
            [
                np.concatenate([self._added(sum_, name) for name in self.layers])
                for sum_ in self.sums
            ]
        )  # fmt: skip

    def _added(self, sum_: Sum, name: str) -> NDArray[np.float64]:
        layer = self.layers[name].rows
        if name != sum_.layer:
            return np.zeros(len(layer))
        return (
            np.ones(len(layer)) if sum_.weight is None else numbers_of(layer, sum_.weight, self.named(name))
        )

    def sha256(self) -> dict[str, str]:
        """Return the hash of each layer by what messages call it."""
        return {self.named(name): provenance.sha256_layer(stood.rows) for name, stood in self.layers.items()}


def _listed(weight: Any) -> list[str | None]:
    """Return the columns to add up, `None` to count; raise CG-IN-004 unless they are names."""
    if weight is None:
        return [None]
    listed = [weight] if isinstance(weight, str) else weight
    is_list = isinstance(listed, list | tuple | pd.Index) and len(listed) > 0
    if not is_list or not all(isinstance(name, str) for name in listed) or len(set(listed)) < len(listed):
        raise error(
            "CG-IN-004", argument="weight", value=weight, rule="It names one or more columns of the opportunities.",
            hint="Leave it out to count them.",
        )  # fmt: skip
    return list(listed)


def require_free(columns: list[str], layer: Any, name: str) -> None:
    """Raise CG-IN-004 if the result would replace a column of the caller, or use one name twice."""
    wanted = [*columns, *OWN]
    taken = [column for column in wanted if column in layer.columns or wanted.count(column) > 1]
    if taken:
        raise error(
            "CG-IN-004", argument=name, value=f"a layer with a column {taken[0]}",
            rule="The result has a column of this name.", hint=f"Rename the column of the {name}.",
        )  # fmt: skip


def numbers_of(layer: Any, column: str, name: str) -> NDArray[np.float64]:
    """
    Return a column as numbers, 0 or more.

    Parameters
    ----------
    layer, column
        Where they stand.
    name
        What the caller calls the layer, for the message.

    Raises
    ------
    InputError
        CG-IN-005: no such column. CG-IN-003: numbers that are missing, negative or infinite.
    """
    if column not in layer.columns:
        raise error("CG-IN-005", layer=name, column=column, columns=", ".join(map(str, layer.columns)))
    numbers = pd.to_numeric(layer[column], errors="coerce").to_numpy(np.float64, na_value=np.nan)
    is_bad = ~((numbers >= 0) & np.isfinite(numbers))
    if is_bad.any():
        raise error(
            "CG-IN-003", count=int(is_bad.sum()), total=len(layer), layer=name, column=column,
            sample=", ".join(str(label) for label in layer.index[is_bad][:5]), rule="a number, 0 or more",
        )  # fmt: skip
    return np.asarray(numbers, np.float64)
