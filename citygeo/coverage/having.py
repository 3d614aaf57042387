"""Who has which services: every table of completeness is a view of one table of places x services."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Any, NamedTuple

import geopandas as gpd
import numpy as np
import pandas as pd

from citygeo import datum, demand, hexgrid
from citygeo.coverage.cells import rows_of
from citygeo.coverage.words import SERVICES
from citygeo.coverage.zones import share, zone_table

if TYPE_CHECKING:
    from collections.abc import Mapping

    from numpy.typing import NDArray

    from citygeo.coverage.points import Located
    from citygeo.coverage.services import Service
    from citygeo.coverage.zones import Level

MOST = 0.5  # a cell lacks a service if less than this share of its people has it


class Sums(NamedTuple):
    """Micro-people of each group, and those of them with each measure, `(n,)` each; whole numbers."""

    total: NDArray[np.int64]
    covered: dict[str, NDArray[np.int64]]


@dataclass(frozen=True, eq=False)
class Having:
    """
    Places of people, and the services they have.

    Attributes
    ----------
    services
        The services.
    people
        The places.
    time_s
        Seconds between each place and the nearest facility of each service, inf if none, `(n, services)`.
    has
        Whether that is within its limit, `(n, services)`.
    worth
        What each service counts in the score.
    """

    services: tuple[Service, ...]
    people: Located
    time_s: NDArray[np.float64]
    has: NDArray[np.bool_]
    worth: NDArray[np.float64]

    @property
    def names(self) -> list[str]:
        """The names of the services."""
        return [service.name for service in self.services]

    @cached_property
    def masks(self) -> dict[str, NDArray[np.bool_]]:
        """Who has each service, any, so many or more, and all of them."""
        n_has, n = self.has.sum(axis=1), len(self.services)
        numbers = {"any": 1, **{f"at_least_{k}": k for k in range(2, n)}, "all": n}
        single = {name: self.has[:, place] for place, name in enumerate(self.names)}
        return {**single, **{name: n_has >= k for name, k in numbers.items()}}

    def sums(self, group: NDArray[np.int64], n: int) -> Sums:
        """Return the people of each group, from 0 to n - 1; places of group -1 are in none."""
        is_in = group >= 0

        def total(mask: NDArray[np.bool_]) -> NDArray[np.int64]:
            summed = np.zeros(n, np.int64)
            np.add.at(summed, group[mask], self.people.layer.weight[mask])
            return summed

        return Sums(total(is_in), {name: total(is_in & mask) for name, mask in self.masks.items()})

    @cached_property
    def city(self) -> Sums:
        """The people of the whole demand."""
        return self.sums(np.zeros(len(self.people.layer), np.int64), 1)

    def score(self, sums: Sums) -> NDArray[np.float64]:
        """Return the weighted mean share of services that the people of each group have, NaN without people."""
        have = sum(worth * sums.covered[name] for name, worth in zip(self.names, self.worth, strict=True))
        return np.asarray(share(have, self.worth.sum() * sums.total), np.float64)

    def table(self) -> pd.DataFrame:
        """Return `Completeness.table`."""
        n = len(self.services)
        kind = {service.name: service for service in self.services}
        rows = []
        for name, covered in self.city.covered.items():
            service = kind.get(name)
            label, label_zh = _count_label(name, n) if service is None else SERVICES.get(name, (name, ""))
            rows.append(
                {
                    "measure": name,
                    "kind": "count" if service is None else "service",
                    "label": label,
                    "label_zh": label_zh,
                    "minutes": np.nan if service is None else service.minutes,
                    "facilities": sum(one.n_placed for one in self.services if service in (None, one)),
                    "covered": float(demand.from_micro(covered)[0]),
                    "total": float(demand.from_micro(self.city.total)[0]),
                }
            )
        table = pd.DataFrame(rows).set_index("measure")
        return table.assign(share=share(table["covered"], table["total"]))

    def lacks(self, has: NDArray[np.bool_]) -> tuple[NDArray[np.object_], NDArray[np.int64]]:
        """Return the names of the services that each row of `has` lacks, and a number for each combination."""
        bits = ~has @ (1 << np.arange(len(self.services), dtype=np.int64))
        codes, place = np.unique(bits, return_inverse=True)
        names = self.names
        texts = [", ".join(name for i, name in enumerate(names) if code >> i & 1) for code in codes.tolist()]
        return np.array(texts, object)[place], place

    def lacking(self) -> pd.DataFrame:
        """Return `Completeness.lacking`."""
        texts, place = self.lacks(self.has)
        people = np.zeros(place.max(initial=-1) + 1, np.int64)
        np.add.at(people, place, self.people.layer.weight)
        first = np.unique(place, return_index=True)[1]
        chinese = np.array([SERVICES.get(name, (name, name))[1] for name in self.names], object)
        table = pd.DataFrame(
            {
                "lacks": texts[first],
                "lacks_zh": ["、".join(chinese[~has]) for has in self.has[first]],
                "n_lacks": (~self.has[first]).sum(axis=1),
                "population": demand.from_micro(people),
                "share": share(people, people.sum()),
            }
        )
        lived = table[people > 0]  # of the others nobody lacks anything
        return lived.sort_values(["population", "lacks"], ascending=[False, True], ignore_index=True)

    def cells(self) -> gpd.GeoDataFrame:
        """Return `Completeness.cells`."""
        cells = np.unique(self.people.cell[self.people.cell != 0])
        point, row = rows_of(cells, self.people.cell)
        group = np.full(len(self.people.layer), -1, np.int64)
        group[point] = row
        sums = self.sums(group, cells.size)
        shares = {name: np.asarray(share(sums.covered[name], sums.total), np.float64) for name in self.names}
        has = np.column_stack(list(shares.values())) >= MOST
        is_empty = sums.total == 0
        data = {
            "population": demand.from_micro(sums.total),
            "score": self.score(sums),
            "n_services": np.where(is_empty, np.nan, has.sum(axis=1)),
            "lacks": np.where(is_empty, "", self.lacks(has)[0]),
            **{f"{name}_share": values for name, values in shares.items()},
            "all_share": share(sums.covered["all"], sums.total),
        }
        index = pd.Index(hexgrid.to_strings(cells), name="h3_cell")
        return gpd.GeoDataFrame(data, geometry=hexgrid.cell_polygons(cells), crs=datum.WGS84, index=index)

    def points(self) -> gpd.GeoDataFrame:
        """Return `Completeness.points`."""
        layer, cell = self.people.layer, self.people.cell
        h3_cell = np.full(len(layer), None, object)
        h3_cell[cell != 0] = hexgrid.to_strings(cell[cell != 0])
        data = {
            "population": demand.from_micro(layer.weight),
            **{f"{name}_time_s": self.time_s[:, i] for i, name in enumerate(self.names)},
            "n_services": self.has.sum(axis=1),
            "score": self.has @ self.worth / self.worth.sum(),
            "lacks": self.lacks(self.has)[0],
            "status": layer.status,
            "h3_cell": h3_cell,
        }
        return gpd.GeoDataFrame(data, geometry=layer.points(), crs=datum.WGS84, index=layer.index)

    def zones(self, levels: Mapping[str, Level]) -> gpd.GeoDataFrame:
        """Return `Completeness.zones`."""
        tables = [zone_table(level, self._of_zones(level)).to_crs(datum.WGS84) for level in levels.values()]
        if not tables:
            return gpd.GeoDataFrame({"level": [], "zone": [], "name": []}, geometry=[], crs=datum.WGS84)
        return pd.concat(tables, ignore_index=True)

    def _of_zones(self, level: Level) -> dict[str, NDArray[np.float64]]:
        sums = self.sums(self.people.zone[level.name], len(level.layer))
        table: dict[str, Any] = {"population": np.where(level.is_void, np.nan, demand.from_micro(sums.total))}
        for name, covered in sums.covered.items():
            table[f"{name}_covered"] = np.where(level.is_void, np.nan, demand.from_micro(covered))
            table[f"{name}_share"] = share(covered, sums.total)
        return {**table, "score": self.score(sums)}


def _count_label(name: str, n: int) -> tuple[str, str]:
    """Return what "any", "all" and "at_least_2" of n services mean."""
    if name == "any":
        return "any of the services", "至少一项"
    if name == "all":
        return f"all {n} services", f"全部{n}项"
    number = name.removeprefix("at_least_")
    return f"{number} services or more", f"至少{number}项"
