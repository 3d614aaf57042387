"""Which buildings are homes, how large they are on the ground, and how many levels they have."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import geopandas as gpd
import numpy as np
import pandas as pd
import shapely

from citygeo import datum
from citygeo.issues import IssueLog

if TYPE_CHECKING:
    from numpy.typing import NDArray

# building=* of homes that people live in all year; cabin and hut are holiday homes in most countries
HOMES = frozenset(
    (
        "apartments", "bungalow", "detached", "dormitory", "farm", "house", "residential", "semi",
        "semidetached_house", "terrace",
    )
)  # fmt: skip
UNTOLD = "yes"  # building=yes: mapped, but nobody said what it is
USE_KEYS = ("amenity", "healthcare", "industrial", "leisure", "man_made", "office", "shop", "tourism")
WORK_GROUND = frozenset(("commercial", "industrial", "military"))
UNTOLD_M2 = (40.0, 1000.0)  # 99.4 % of the sample's known homes lie within

LEVELS_KEY = "building:levels"
LEVELS = {"apartments": 4.0, "dormitory": 3.0, "bungalow": 1.0} | dict.fromkeys(
    (
        "barn", "cabin", "carport", "cowshed", "farm_auxiliary", "garage", "garages", "greenhouse", "hangar", "hut",
        "kindergarten", "kiosk", "roof", "service", "shed", "stable", "storage_tank", "sty", "warehouse",
    ), 1.0,
) | dict.fromkeys(
    ("commercial", "government", "hospital", "hotel", "office", "public", "retail", "university"), 3.0
)  # fmt: skip
USUAL_LEVELS = 2.0
# building=residential and building=yes are also used for blocks of flats; their footprint tells
BLOCK_TYPES = ("residential", UNTOLD)
BLOCK_M2, BLOCK_LEVELS = 250.0, 4.0
MAX_LEVELS = 200.0


def floor_space(buildings: gpd.GeoDataFrame, *, issues: IssueLog | None = None) -> gpd.GeoDataFrame:
    """
    Return the floor space of buildings: footprint times levels (an estimate).

    Parameters
    ----------
    buildings
        Buildings in any CRS. The columns ``building`` and ``building:levels`` are used where they are there, and
        those that :func:`is_home` looks at; without ``building`` all of them are homes.
    issues
        Where to record what was found (CG-DEM-022, 009). If not given, one Python warning names the codes that
        matter.

    Returns
    -------
    One row per building, on the index and in the CRS of `buildings`: ``footprint_m2``, ``levels``, ``floor_m2``,
    ``is_home`` and ``geometry`` as given. A building drawn as a point has the median footprint of the others; one
    without geometry has no footprint (NaN). ``attrs["estimate"]`` is True.

    Raises
    ------
    CRSError
        CG-CRS-001 if the layer has no CRS.
    InputError
        CG-IN-001 no rows, CG-IN-007 no layer.

    Notes
    -----
    Levels of homes are those of :func:`citygeo.spread_population`. Of other buildings without ``building:levels``,
    garages, sheds, halls, farm buildings and kindergartens have 1, all others 2, and shops, offices and public
    buildings 3: the rounded means of the sample's tagged ones.

    Examples
    --------
    >>> shapes = [shapely.box(500_010, 10, 500_020, 20), shapely.box(500_030, 10, 500_040, 30)]
    >>> layer = gpd.GeoDataFrame({"building": ["house", "garage"]}, geometry=shapes, crs=32632)
    >>> floor_space(layer)[["floor_m2", "is_home"]].round(6).to_numpy().tolist()
    [[200.0, True], [200.0, False]]
    """
    datum.require_layer(buildings, "buildings", is_labelled=False)
    log = IssueLog() if issues is None else issues
    footprint, is_lived_in = _measured(buildings)
    has_place = _has_place(buildings)
    footprint[has_place] = _completed(footprint[has_place], buildings.index[has_place], "CG-DEM-023", log)
    levels = _levels(buildings, footprint, "CG-DEM-022", log)
    data = {
        "footprint_m2": footprint,
        "levels": levels,
        "floor_m2": footprint * levels,
        "is_home": is_lived_in,
    }
    table = gpd.GeoDataFrame(data, geometry=buildings.geometry, index=buildings.index)
    table.attrs["estimate"] = True
    if issues is None:
        log.announce()
    return table


def homes_of(buildings: gpd.GeoDataFrame, log: IssueLog) -> gpd.GeoDataFrame:
    """Return the homes that have a place, with footprint and levels."""
    footprint, is_lived_in = _measured(buildings)
    chosen = is_lived_in & _has_place(buildings)
    buildings = buildings[chosen]
    footprint = _completed(footprint[chosen], buildings.index, "CG-DEM-007", log)
    levels = _levels(buildings, footprint, "CG-DEM-006", log)
    data = {"footprint_m2": footprint, "levels": levels}
    return gpd.GeoDataFrame(data, geometry=buildings.geometry, index=buildings.index)


def home_rows(buildings: gpd.GeoDataFrame) -> NDArray[np.bool_]:
    """Tell which rows are homes that have a place."""
    return _measured(buildings)[1] & _has_place(buildings)


def is_home(buildings: gpd.GeoDataFrame, footprint_m2: NDArray[np.float64]) -> NDArray[np.bool_]:
    """
    Tell which buildings people live in, by OpenStreetMap's tags.

    Parameters
    ----------
    buildings
        Rows with a column ``building``; the columns ``addr:housenumber``, ``landuse`` (of the ground the
        building stands on) and those of :data:`USE_KEYS` are used where they are there.
    footprint_m2
        Area of each building in m², NaN where unknown.

    Returns
    -------
    True for the values in :data:`HOMES`, also as one of several ("commercial;residential"), and for a
    ``building=yes`` that has a house number, no other use, stands on no commercial, industrial or
    military ground, and covers 40 to 1000 m² or an unknown area.

    Notes
    -----
    Why ``yes`` cannot be left out: in the sample it is 27 % of the buildings, and in the old town of
    Reykjavík, in Seltjarnarnes and in Kjósarhreppur nearly all. Why the house number decides: there, 97.6 %
    of the buildings known as homes have one, and 1.4 % of the garages. Why the ground counts: of addressed
    ``yes`` on ground of known use, 94 % below 250 m² but 28 % from 600 to 1000 m² stand on residential
    ground. Retail ground stays in: three quarters of it are the old shopping streets with flats above.

    Examples
    --------
    >>> layer = gpd.GeoDataFrame({"building": ["house", "yes", "garage"]})
    >>> is_home(layer, np.array([120.0, 20.0, 40.0])).tolist()
    [True, False, False]
    """
    kind = buildings["building"]
    told = [value for value in kind.dropna().unique() if not HOMES.isdisjoint(_parts(value))]
    low, high = UNTOLD_M2
    fits = np.isnan(footprint_m2) | ((footprint_m2 >= low) & (footprint_m2 <= high))
    maybe = kind.isin([UNTOLD]).to_numpy() & fits
    if "addr:housenumber" in buildings:
        maybe &= buildings["addr:housenumber"].notna().to_numpy()
    if "landuse" in buildings:
        maybe &= ~buildings["landuse"].isin(WORK_GROUND).to_numpy()
    for key in USE_KEYS:
        if key in buildings:
            maybe &= buildings[key].isna().to_numpy()
    chosen: NDArray[np.bool_] = kind.isin(told).to_numpy() | maybe
    return chosen


def _has_place(buildings: gpd.GeoDataFrame) -> NDArray[np.bool_]:
    shapes = buildings.geometry.to_numpy()
    return np.asarray(~(shapely.is_missing(shapes) | shapely.is_empty(shapes)), np.bool_)


def _measured(buildings: gpd.GeoDataFrame) -> tuple[NDArray[np.float64], NDArray[np.bool_]]:
    """Return the footprint of each building, NaN where it is not drawn as an area, and whether it is a home."""
    footprint = np.full(len(buildings), np.nan)
    has_place = _has_place(buildings)
    if has_place.any():
        placed = buildings.geometry[has_place]
        bounds = placed.to_crs(datum.WGS84).total_bounds
        area = placed.to_crs(datum.working_crs(tuple(bounds), "buildings")).area.to_numpy()
        footprint[has_place] = np.where(area > 0, area, np.nan)
    if "building" not in buildings:
        return footprint, np.ones(len(buildings), np.bool_)
    return footprint, is_home(buildings, footprint)


def _completed(
    footprint_m2: NDArray[np.float64], labels: pd.Index[Any], code: str, log: IssueLog
) -> NDArray[np.float64]:
    """Return footprints, the median of the others (1 if there are none) for those that are not known."""
    is_unknown = np.isnan(footprint_m2)
    log.add(code, count=int(is_unknown.sum()), sample=labels[is_unknown], total=footprint_m2.size)
    usual = float(np.median(footprint_m2[~is_unknown])) if not is_unknown.all() else 1.0
    return np.where(is_unknown, usual, footprint_m2)


def _levels(
    buildings: gpd.GeoDataFrame, footprint_m2: NDArray[np.float64], code: str, log: IssueLog
) -> NDArray[np.float64]:
    levels = np.full(len(buildings), USUAL_LEVELS)
    if "building" in buildings:
        kind = buildings["building"]
        usual = {value: _usual_levels(value) for value in kind.unique()}
        levels = kind.map(usual).fillna(USUAL_LEVELS).to_numpy(np.float64, copy=True)
        is_block = kind.isin(BLOCK_TYPES).to_numpy() & (footprint_m2 >= BLOCK_M2)
        levels[is_block] = BLOCK_LEVELS
    if LEVELS_KEY not in buildings:
        return levels
    given = pd.to_numeric(buildings[LEVELS_KEY], errors="coerce").to_numpy(np.float64, na_value=np.nan)
    is_given = (given > 0) & (given <= MAX_LEVELS)
    missing = buildings.index[~is_given]
    log.add(code, count=len(missing), sample=missing, total=len(buildings))
    return np.where(is_given, given, levels)


def _usual_levels(value: str) -> float:
    """Return the levels of a building type; of several types, those of the first that is a home, or the first."""
    kinds = _parts(value)
    home = next((part for part in kinds if part in HOMES), kinds[0])
    return LEVELS.get(home, USUAL_LEVELS)


def _parts(value: str) -> list[str]:
    """Split "commercial;residential" into what it says."""
    return [part.strip() for part in str(value).split(";")]
