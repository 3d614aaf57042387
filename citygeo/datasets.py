"""Sample data that comes with citygeo: real cities, small enough to try everything on."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache, cached_property
from pathlib import Path
from typing import TYPE_CHECKING

import geopandas as gpd
import numpy as np
import pandas as pd

from citygeo import datum
from citygeo.demand import spread_population, zone_of
from citygeo.demand.homes import USE_KEYS
from citygeo.io.features import read_features
from citygeo.io.pbf import require_file
from citygeo.issues import IssueLog
from citygeo.provenance import OSM_ATTRIBUTION

if TYPE_CHECKING:
    from citygeo.modes import TravelMode
    from citygeo.network import RoadNetwork

# one pass over the file gives every layer
FEATURES: dict[str, bool | str | tuple[str, ...]] = {
    "building": True,
    "amenity": ("fire_station", "school", "kindergarten", "clinic", "doctors", "pharmacy"),
    "boundary": "administrative",
    "landuse": True,
    "leisure": "park",
    "public_transport": "platform",
}
COLUMNS = ("name", "name:en", "admin_level", "addr:housenumber", "building:levels", "bus", *USE_KEYS)
BUILDING_COLUMNS = ["building", "name", "addr:housenumber", "building:levels", *USE_KEYS]
LEVELS = {"municipality": "6", "district": "9", "neighbourhood": "10"}
# a service: the key that tells it and the values that are it
SERVICES = {
    "school": ("amenity", {"school"}),
    "kindergarten": ("amenity", {"kindergarten"}),
    "clinic": ("amenity", {"clinic", "doctors"}),
    "pharmacy": ("amenity", {"pharmacy"}),
    "bus_stop": ("public_transport", {"platform"}),
    "park": ("leisure", {"park"}),
}


@dataclass(frozen=True)
class SampleCity:
    """
    A city's OpenStreetMap extract, with the layers a coverage study needs.

    Layers are read on first use, all in one pass over the file, and kept; each access gives a copy that may
    be changed freely. All are in EPSG:4326 and indexed by OSM's ids, such as ``"way/123"``.

    Attributes
    ----------
    name, name_zh
        The city's name in English and Chinese.
    folder
        Where the files of the sample are.
    osm_path
        The ``.osm.pbf`` extract.
    attribution
        What every map and table made from it must carry.

    Examples
    --------
    >>> city = reykjavik()
    >>> len(city.stations), int(city.people["population"].sum())
    (4, 228231)
    """

    name: str
    name_zh: str
    folder: Path
    osm_path: Path
    attribution: str

    def network(self, mode: str | TravelMode = "fire_engine") -> RoadNetwork:
        """
        Return the road network for a travel mode; those of named modes are built once per process.

        Parameters
        ----------
        mode
            The name of a mode, or one of your own.
        """
        from citygeo.network import RoadNetwork

        if isinstance(mode, str):
            return _network(self.osm_path, mode)
        return RoadNetwork.from_osm(self.osm_path, mode=mode)

    @property
    def stations(self) -> gpd.GeoDataFrame:
        """The fire stations: name, geometry (points and building outlines)."""
        is_station = self._features["amenity"] == "fire_station"
        return self._features.loc[is_station, ["name", "geometry"]].copy()

    @property
    def services(self) -> dict[str, gpd.GeoDataFrame]:
        """
        What people go to in daily life: name, geometry (points and areas) of each kind of place.

        ``school``, ``kindergarten``, ``clinic`` (also doctors' surgeries), ``pharmacy``, ``park`` and ``bus_stop``:
        here a stop is mapped as a platform on each side of the street, and counts for each. A place of two
        kinds ("kindergarten;school") is in both layers.
        """
        return {name: self._service(*told) for name, told in SERVICES.items()}

    @property
    def municipalities(self) -> gpd.GeoDataFrame:
        """
        The municipalities with their people.

        Columns: name, population (int64), area_km2 (of the polygon), population_status ("unverified" while
        the figure was entered by hand), geometry. One whose boundary is missing stays, without geometry.
        """
        return self._municipalities.copy()

    @property
    def neighbourhoods(self) -> gpd.GeoDataFrame:
        """The parts of municipalities that OSM draws: name, admin_level ("9" or "10"), geometry."""
        table = self._boundaries(LEVELS["district"], LEVELS["neighbourhood"])
        return table[["name", "admin_level", "geometry"]]

    @property
    def zones(self) -> dict[str, gpd.GeoDataFrame]:
        """The zones of each level, coarse to fine: municipality, district, neighbourhood."""
        parts = self.neighbourhoods
        levels = {name: parts[parts["admin_level"] == level] for name, level in LEVELS.items()}
        return levels | {"municipality": self.municipalities}

    @property
    def buildings(self) -> gpd.GeoDataFrame:
        """
        All buildings, with the tags that tell their use.

        ``landuse`` is that of the ground a building stands on; the others are the building's own.
        """
        return self._buildings.copy()

    @property
    def people(self) -> gpd.GeoDataFrame:
        """The homes with their estimated people, see :func:`citygeo.spread_population`."""
        return self._spread[0].copy()

    @property
    def study_area(self) -> gpd.GeoDataFrame:
        """The union of the municipalities: one row with name and geometry."""
        union = self._municipalities.geometry.union_all()
        return gpd.GeoDataFrame({"name": [self.name]}, geometry=[union], crs=datum.WGS84)

    @property
    def issues(self) -> pd.DataFrame:
        """What was found while reading the file and spreading the people."""
        log = IssueLog()
        log.extend(self._read[1].found)
        log.extend(self._spread[1].found)
        return log.table()

    @cached_property
    def _read(self) -> tuple[gpd.GeoDataFrame, IssueLog]:
        log = IssueLog()
        return read_features(self.osm_path, FEATURES, columns=COLUMNS, issues=log), log

    @property
    def _features(self) -> gpd.GeoDataFrame:
        return self._read[0]

    def _service(self, key: str, kinds: set[str]) -> gpd.GeoDataFrame:
        features = self._features
        # few values; each is looked at once
        told = [value for value in features[key].dropna().unique() if kinds & set(value.split(";"))]
        is_service = features[key].isin(told)
        if key == "public_transport":  # quays are platforms too
            is_service &= features["bus"] == "yes"
        return features.loc[is_service, ["name", "geometry"]].copy()

    def _boundaries(self, *levels: str) -> gpd.GeoDataFrame:
        features = self._features
        is_wanted = (features["boundary"] == "administrative") & features["admin_level"].isin(levels)
        return features[is_wanted].copy()

    @cached_property
    def _municipalities(self) -> gpd.GeoDataFrame:
        people = pd.read_csv(self.folder / "municipal_population.csv", dtype={"population": np.int64})
        drawn = self._boundaries(LEVELS["municipality"])[["name", "geometry"]]
        drawn = drawn.rename(columns={"name": "osm_name"}).rename_axis("osm_id").reset_index()
        table = people.merge(drawn, on="osm_name", how="left", validate="one_to_one")
        table.index = pd.Index(table["osm_id"].fillna("municipality/" + table["name"]).to_numpy())
        layer = gpd.GeoDataFrame(table, geometry="geometry", crs=datum.WGS84)
        layer["area_km2"] = layer.to_crs(datum.EQUAL_AREA).area / 1e6
        return layer[["name", "population", "area_km2", "population_status", "geometry"]]

    @cached_property
    def _buildings(self) -> gpd.GeoDataFrame:
        features = self._features
        is_building = (features["building"].notna() & (features["building"] != "no")).to_numpy()
        buildings = features.loc[is_building, [*BUILDING_COLUMNS, "geometry"]]
        is_ground = features["landuse"].notna().to_numpy() & ~is_building
        ground = features.loc[is_ground, ["landuse", "geometry"]]
        # where one ground lies within another, the smaller says what it is used for
        ground = ground.iloc[np.argsort(ground.to_crs(datum.EQUAL_AREA).area.to_numpy(), kind="stable")]
        position = zone_of(buildings, ground)
        use = pd.array(ground["landuse"].to_numpy()[position], dtype="str")
        use[position < 0] = None
        buildings.insert(len(BUILDING_COLUMNS), "landuse", use)
        return buildings

    @cached_property
    def _spread(self) -> tuple[gpd.GeoDataFrame, IssueLog]:
        log = IssueLog()
        return spread_population(self._municipalities, self._buildings, issues=log), log


@cache
def reykjavik() -> SampleCity:
    """
    Return the capital region of Iceland, as OpenStreetMap had it on 9 May 2019.

    Returns
    -------
    Seven municipalities with 228,231 people (1 January 2019), 4 fire stations, 43,600 buildings. The people
    of the municipalities were entered by hand from Statistics Iceland and are marked unverified; where in a
    municipality they live is an estimate.

    Raises
    ------
    FileError
        CG-FILE-001 if the sample was not installed.

    Examples
    --------
    >>> reykjavik().stations["name"].tolist()[0]
    'Björgunarmiðstöðin Skógarhlíð'
    """
    here = Path(__file__).parent
    # in a source tree the samples stand beside the package, in an installed one inside it
    folder = next((up / "data_samples" for up in (here, here.parent) if (up / "data_samples").is_dir()), here)
    city = SampleCity(
        name="Reykjavík capital region",
        name_zh="雷克雅未克首都区",
        folder=folder / "reykjavik",
        osm_path=folder / "reykjavik" / "reykjavik.osm.pbf",
        attribution=OSM_ATTRIBUTION,
    )
    require_file(city.osm_path)
    return city


@cache
def _network(path: Path, mode: str) -> RoadNetwork:
    from citygeo.network import RoadNetwork

    return RoadNetwork.from_osm(path, mode=mode)
