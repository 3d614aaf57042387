"""Read what stands on the ground out of an OSM PBF: points and areas by their tags, as a GeoDataFrame."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

import geopandas as gpd
import numpy as np
import pandas as pd
import shapely

from citygeo.errors import error
from citygeo.io.pbf import check_pbf

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence

    from numpy.typing import NDArray

    from citygeo.issues import IssueLog

COLUMNS = ("name", "name:en", "name:zh", "admin_level", "addr:housenumber", "building:levels")
AREA_RELATIONS = ("multipolygon", "boundary")
KINDS = ("node", "way", "relation")

Wanted = dict[str, frozenset[str] | None]


class _Feature(NamedTuple):
    kind: int  # position in KINDS
    number: int
    texts: tuple[str | None, ...]  # the value of each key asked for
    wkb: bytes | None  # None where OSM's area is broken


def read_features(
    path: str | Path,
    tags: Mapping[str, bool | str | Sequence[str]],
    *,
    columns: Sequence[str] = COLUMNS,
    issues: IssueLog | None = None,
) -> gpd.GeoDataFrame:
    """
    Read the OSM objects that have any of the given tags.

    Nodes become points, closed ways and multipolygon or boundary relations become areas; open ways are
    lines and no features here. All tags are read in the same pass over the file, so one call with many
    tags is much faster than many calls.

    Parameters
    ----------
    path
        An ``.osm.pbf`` file.
    tags
        Key to value: ``True`` for any value, a text for one value, a sequence for several. An object is
        read if any of the keys fits.
    columns
        Further keys to keep as columns.
    issues
        Where to record what was found (CG-GEO-003).

    Returns
    -------
    One row per object in EPSG:4326, indexed ``"node/123"``, ``"way/123"`` or ``"relation/123"``, in that
    order and by number. Columns: the keys of `tags`, then `columns`, then geometry. A tag an object does
    not have is missing. Areas that OSM draws wrongly (open or crossing rings, lost members) stay as rows
    without geometry.

    Raises
    ------
    FileError
        CG-FILE-001 if the file does not exist.
    FileFormatError
        CG-FILE-002 not a PBF, CG-FILE-003 cut short.
    InputError
        CG-IN-004 if `tags` names nothing.

    Examples
    --------
    >>> from citygeo.datasets import reykjavik
    >>> read_features(reykjavik().osm_path, {"amenity": "fire_station"})["name"].notna().sum()
    np.int64(4)
    """
    path = Path(path)
    wanted = _wanted(tags)
    check_pbf(path)
    keys = tuple(dict.fromkeys((*wanted, *columns)))
    features = sorted(_features(path, wanted, keys), key=lambda feature: feature[:2])
    table = zip(*(feature.texts for feature in features), strict=True) if features else ((),) * len(keys)
    layer = gpd.GeoDataFrame(
        {key: pd.array(values, dtype="str") for key, values in zip(keys, table, strict=True)},
        geometry=_geometry([feature.wkb for feature in features]),
        index=[f"{KINDS[feature.kind]}/{feature.number}" for feature in features],
        crs=4326,
    )
    broken = layer.index[shapely.is_missing(layer.geometry.to_numpy())]
    if issues is not None:
        issues.add("CG-GEO-003", count=len(broken), sample=broken, total=len(layer), path=path.name)
    return layer


def _geometry(wkb: list[bytes | None]) -> NDArray[np.object_]:
    """Decode WKB; an area of one part becomes a plain polygon."""
    geometry = shapely.from_wkb(np.array(wkb, object))
    is_single = shapely.get_num_geometries(geometry) == 1
    geometry[is_single] = shapely.get_geometry(geometry[is_single], 0)
    return np.asarray(geometry)


def _wanted(tags: Mapping[str, bool | str | Sequence[str]]) -> Wanted:
    """Return the values wanted of each key, None for any."""
    wanted: Wanted = {}
    for key, value in tags.items():
        if value is True:
            wanted[key] = None
        elif isinstance(value, str):
            wanted[key] = frozenset((value,))
        elif value:
            wanted[key] = frozenset(value)
    if not wanted or len(wanted) < len(tags):
        rule = "Each key needs True, a value or a list of values."
        raise error("CG-IN-004", argument="tags", value=dict(tags), rule=rule, hint='Try {"amenity": True}.')
    return wanted


def _features(path: Path, wanted: Wanted, keys: tuple[str, ...]) -> Iterator[_Feature]:
    """Yield the wanted objects, each once; tags are compared in C++ first, values here."""
    import osmium
    from osmium.osm import AREA, NODE, RELATION

    has_key = osmium.filter.KeyFilter(*wanted)
    source = osmium.FileProcessor(str(path)).with_areas(has_key)
    source.with_filter(osmium.filter.EntityFilter(NODE | AREA | RELATION)).with_filter(has_key)
    make_wkb = osmium.geom.WKBFactory()
    relations: dict[int, tuple[str | None, ...]] = {}
    drawn: set[int] = set()
    items: Iterable[Any] = source  # kinds are told apart by what each item says it is
    for item in items:
        # asking for one tag after the other is three times faster than listing all of them
        get = item.tags.get
        values = tuple([get(key) for key in keys])
        if not _fits(values, wanted):
            continue
        if item.is_node():
            yield _Feature(0, item.id, values, bytes.fromhex(make_wkb.create_point(item)))
        elif item.is_relation():
            if get("type") in AREA_RELATIONS:
                relations[item.id] = values
        else:
            kind, number = (1 if item.from_way() else 2), item.orig_id()
            if kind == 2:
                drawn.add(number)
            has_ring = item.num_rings()[0] > 0
            # GEOS reads binary WKB four times as fast as hexadecimal
            wkb = bytes.fromhex(make_wkb.create_multipolygon(item)) if has_ring else None
            yield _Feature(kind, number, values, wkb)
    # where members are missing from the file, the area was never put together
    yield from (_Feature(2, number, relations[number], None) for number in relations.keys() - drawn)


def _fits(values: tuple[str | None, ...], wanted: Wanted) -> bool:
    """Tell whether any of the first values, which are those of the wanted keys, is wanted."""
    return any(
        value is not None and (allowed is None or value in allowed)
        for value, allowed in zip(values, wanted.values(), strict=False)
    )
