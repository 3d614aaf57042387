"""What was asked of a coverage: kept with the answer, so that it can be asked again."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from citygeo.coverage.zones import DEFAULT_LEVEL

if TYPE_CHECKING:
    from collections.abc import Sequence
    from typing import TypeAlias

    import geopandas as gpd
    import pandas as pd

    from citygeo.network import Direction, RoadNetwork
    from citygeo.network.snap_layer import Polygons

    Weighted: TypeAlias = gpd.GeoDataFrame | tuple[gpd.GeoDataFrame, str]


@dataclass(frozen=True, kw_only=True, eq=False, repr=False)
class Question:
    """
    All arguments of `citygeo.coverage` as the caller gave them.

    Attributes are named and documented there. ``dataclasses.replace(question, network=slower)`` asks about another
    network; `citygeo.coverage.setting.settle` puts it on the network.
    """

    network: RoadNetwork
    facilities: gpd.GeoDataFrame
    demand: gpd.GeoDataFrame | pd.DataFrame
    minutes: float | str
    zones: gpd.GeoDataFrame | Mapping[str, gpd.GeoDataFrame] | None = None
    buildings: gpd.GeoDataFrame | None = None
    areas: Mapping[str, gpd.GeoDataFrame] | None = None
    points: Mapping[str, Weighted] | None = None
    columns: Sequence[str] = ()
    study_area: gpd.GeoDataFrame | None = None
    include_outside: bool = True
    radius_m: float | str | None = None
    barriers: gpd.GeoDataFrame | gpd.GeoSeries | Mapping[str, gpd.GeoDataFrame] | None = None
    direction: Direction = "from"
    delay_s: float | str | None = None
    max_snap_m: float = 200.0
    buffer_m: float = 100.0
    polygons: Polygons = "point"
    resolution: int = 9
    threads: int | None = None

    @property
    def layers(self) -> dict[str, pd.DataFrame]:
        """The layers besides the facilities, by what they are called in findings and provenance."""
        zones = self.zones if isinstance(self.zones, Mapping) else {DEFAULT_LEVEL: self.zones}
        barriers = self.barriers if isinstance(self.barriers, Mapping) else {"": self.barriers}
        named: dict[str, Any] = {
            "demand": self.demand,
            "buildings": self.buildings,
            "study_area": self.study_area,
            **{f"zones {level}": layer for level, layer in zones.items()},
            **{f"barriers {name}".rstrip(): layer for name, layer in barriers.items()},
            **{f"areas {name}": layer for name, layer in (self.areas or {}).items()},
            **{f"points {name}": weighted_layer(given)[0] for name, given in (self.points or {}).items()},
        }
        return {name: layer for name, layer in named.items() if layer is not None}


def weighted_layer(given: Weighted) -> tuple[gpd.GeoDataFrame, str | None]:
    """Return the layer and the column of its weights, `None` if each row counts as one."""
    return given if isinstance(given, tuple) else (given, None)
