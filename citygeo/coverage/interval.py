"""Coverage as low, central and high: speeds, speeds that were assumed, and the stretch between place and road."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import reduce
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np
import pandas as pd

from citygeo import provenance
from citygeo._run import run_chunks
from citygeo.coverage.words import NO_PEOPLE
from citygeo.errors import error
from citygeo.io.atomic import make_folder
from citygeo.io.write import write_csv, write_json

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    from citygeo.coverage.result import Coverage
    from citygeo.network import RoadNetwork

    Factor = float | Mapping[str, float] | pd.DataFrame

SLOWEST, FASTEST = 0.1, 10.0  # factors beyond are no uncertainty but another question


class Driver(NamedTuple):
    """
    What makes coverage uncertain.

    Attributes
    ----------
    name, label, label_zh
        What it is called.
    worst, best
        Factors of speed, or of time for ``snap``, at which least and most is covered.
    """

    name: str
    label: str
    label_zh: str
    worst: float
    best: float


class Case(NamedTuple):
    """One way all may travel: the network with other times, and a factor for the stretches beside the road."""

    network: RoadNetwork
    walk_factor: float

    def at(self, driver: Driver, factor: float) -> Case:
        """Return the case with a driver at some factor."""
        if driver.name == "snap":
            return self._replace(walk_factor=self.walk_factor * factor)
        if factor == 1.0:
            return self
        faster = self.network.with_speeds(factor, assumed_only=driver.name == "assumed")
        return self._replace(network=faster)


@dataclass(frozen=True, repr=False)
class Interval:
    """
    What is covered if travel is slower or faster than was assumed.

    Attributes
    ----------
    table
        One row per measure: unit, low, central, high (shares: all drivers at their worst, as in the coverage, all at
        their best), low_covered, central_covered, high_covered, total, driver (the one that moves the share most).
    drivers
        One row per driver and measure, the driver that moves the share of people most first: driver, measure, label,
        label_zh, factor_low, factor_high, low, high (shares with this driver alone at its worst and its best),
        change_low, change_high (less the central share).
    scenarios
        One row per scenario and measure: scenario, measure, covered, total, share, change (less the central share).
    minutes
        The inclusive bound.
    demand_is_estimate
        Whether the people were estimated, not counted.
    provenance
        That of the coverage, and the factors.

    Examples
    --------
    >>> import citygeo as cg
    >>> city = cg.datasets.reykjavik()
    >>> cov = cg.coverage(city.network("fire_engine"), city.stations, demand=city.people, minutes=5)
    >>> people = cov.interval(land=False).table.loc["population"]
    >>> bool(people.low <= people.central <= people.high)
    True
    """

    table: pd.DataFrame
    drivers: pd.DataFrame
    scenarios: pd.DataFrame
    minutes: float
    demand_is_estimate: bool
    provenance: dict[str, Any]

    def save(self, folder: str | Path) -> dict[str, Path]:
        """
        Write ``table.csv``, ``drivers.csv``, ``scenarios.csv`` and ``provenance.json``, each whole or not at all.

        Parameters
        ----------
        folder
            Created if missing.

        Returns
        -------
        Paths by what they hold.

        Raises
        ------
        FileError
            CG-FILE-012 if a file cannot be written.
        """
        where = Path(folder)
        make_folder(where)
        files = {name: where / f"{name}.csv" for name in ("table", "drivers", "scenarios")}
        for name, path in files.items():
            write_csv(path, getattr(self, name))
        files["provenance"] = where / "provenance.json"
        write_json(files["provenance"], self.provenance)
        return files

    def __repr__(self) -> str:
        people = self.table.loc["population"]
        kind = "estimated people" if self.demand_is_estimate else "people"
        shares = f"{people.low:.1%} – {people.central:.1%} – {people.high:.1%} of {kind} covered 人口覆盖率"
        moved = f", most moved by {people.driver}" if people.driver else ""
        return f"<Interval within {self.minutes:g} min: {shares if people.total else NO_PEOPLE}{moved}>"


def interval(
    coverage: Coverage,
    *,
    speeds: Sequence[float],
    assumed: Sequence[float],
    snap: Sequence[float],
    scenarios: Any,
    land: bool,
) -> Interval:
    """Do the work of `Coverage.interval`."""
    drivers = [
        Driver("speeds", "speed of all roads", "所有道路车速", *_range("speeds", speeds)),
        Driver("assumed", "speeds that were assumed, not posted", "推定车速", *_range("assumed", assumed)),
        Driver("snap", "stretch between place and road", "地点到道路的接驳段", *_range("snap", snap)[::-1]),
    ]
    given = _require_scenarios(scenarios)
    central = coverage.table if land else coverage.table.drop(index=list(coverage.setting.land))
    usual = Case(coverage.question.network, 1.0)
    low, high = (
        reduce(lambda case, driver: case.at(driver, getattr(driver, end)), drivers, usual)
        for end in ("worst", "best")
    )
    alone = [usual.at(driver, factor) for driver in drivers for factor in (driver.worst, driver.best)]
    named = [Case(usual.network.with_speeds(factor), 1.0) for factor in given.values()]
    lowest, highest, *others = _ask(coverage, [low, high, *alone, *named], central, land=land)
    pairs = [(driver, others[2 * place], others[2 * place + 1]) for place, driver in enumerate(drivers)]
    moves = _drivers(pairs, central)
    factors = {
        "speeds": list(speeds), "assumed": list(assumed), "snap": list(snap),
        "scenarios": {name: _plain(factor) for name, factor in given.items()}, "land": land,
    }  # fmt: skip
    made_by = coverage.provenance
    return Interval(
        table=_table(lowest, central, highest, moves),
        drivers=moves,
        scenarios=_scenarios(dict(zip(given, others[len(alone) :], strict=True)), central),
        minutes=coverage.minutes,
        demand_is_estimate=coverage.demand_is_estimate,
        provenance=provenance.describe(
            "interval", made_by["inputs"], {**made_by["parameters"], "interval": factors}
        ),
    )


def _ask(coverage: Coverage, cases: list[Case], central: pd.DataFrame, *, land: bool) -> list[pd.DataFrame]:
    """Return the table of each case; those that change nothing are not asked again."""
    setting, network = coverage.setting, coverage.question.network
    tables = [central] * len(cases)
    rows = [row for row, case in enumerate(cases) if case.network is not network or case.walk_factor != 1.0]

    def work(start: int, stop: int, _stop: NDArray[np.uint8]) -> None:
        for row in rows[start:stop]:
            case = cases[row]
            tables[row] = setting.table(case.network, walk_factor=case.walk_factor, with_land=land)

    # one at a time: each has threads of its own
    run_chunks(work, len(rows), threads=1, name="coverage at other speeds 其他车速下的覆盖")
    return tables


def _require_scenarios(scenarios: Any) -> Mapping[str, Factor]:
    given = {} if scenarios is None else scenarios
    if not isinstance(given, Mapping) or not all(isinstance(name, str) and name for name in given):
        raise error(
            "CG-IN-004", argument="scenarios", value=scenarios, rule="It maps names to factors of speed.",
            hint='For example {"peak": 0.6, "night": {"primary": 1.2, "*": 1.0}}.',
        )  # fmt: skip
    return given


def _range(argument: str, given: Any) -> tuple[float, float]:
    """Return two factors around 1; raise CG-COV-040 unless they are."""
    try:
        low, high = (float(factor) for factor in given)
    except (TypeError, ValueError):
        low, high = np.nan, np.nan
    if not SLOWEST <= low <= 1 <= high <= FASTEST:
        raise error("CG-COV-040", argument=argument, value=given, low=SLOWEST, high=FASTEST)
    return low, high


def _table(low: pd.DataFrame, central: pd.DataFrame, high: pd.DataFrame, moves: pd.DataFrame) -> pd.DataFrame:
    """Return `Interval.table`."""
    span = (moves["high"] - moves["low"]).to_numpy()
    most = (
        moves.assign(span=span).sort_values("span", ascending=False, kind="stable").drop_duplicates("measure")
    )
    driver = most[most["span"] > 0].set_index("measure")["driver"]
    return pd.DataFrame(
        {
            "unit": central["unit"],
            "low": low["share"],
            "central": central["share"],
            "high": high["share"],
            "low_covered": low["covered"],
            "central_covered": central["covered"],
            "high_covered": high["covered"],
            "total": central["total"],
            "driver": driver.reindex(central.index).fillna(""),
        }
    )


def _drivers(alone: list[tuple[Driver, pd.DataFrame, pd.DataFrame]], central: pd.DataFrame) -> pd.DataFrame:
    """Return `Interval.drivers`."""

    def moved(one: tuple[Driver, pd.DataFrame, pd.DataFrame]) -> float:
        low, high = (table["share"].to_numpy(np.float64)[table.index == "population"] for table in one[1:])
        return float((high - low)[0])

    frames = [
        pd.DataFrame(
            {
                "driver": driver.name,
                "measure": central.index,
                "label": driver.label,
                "label_zh": driver.label_zh,
                "factor_low": driver.worst,
                "factor_high": driver.best,
                "low": low["share"].to_numpy(),
                "high": high["share"].to_numpy(),
                "change_low": (low["share"] - central["share"]).to_numpy(),
                "change_high": (high["share"] - central["share"]).to_numpy(),
            }
        )
        for driver, low, high in sorted(alone, key=moved, reverse=True)
    ]
    return pd.concat(frames, ignore_index=True)


def _scenarios(asked: Mapping[str, pd.DataFrame], central: pd.DataFrame) -> pd.DataFrame:
    """Return `Interval.scenarios`."""
    columns = ["scenario", "measure", "covered", "total", "share", "change"]
    frames = [
        table.assign(scenario=name, change=table["share"] - central["share"])
        .rename_axis("measure")
        .reset_index()
        for name, table in asked.items()
    ]
    return pd.concat(frames, ignore_index=True)[columns] if frames else pd.DataFrame(columns=columns)


def _plain(factor: Factor) -> Any:
    if isinstance(factor, pd.DataFrame):
        return factor.to_dict()
    return dict(factor) if isinstance(factor, Mapping) else float(factor)
