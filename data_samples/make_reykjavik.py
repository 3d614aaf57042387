"""
Cut the Reykjavík capital region out of the Iceland extract that gostnets 1.2.1 ships.

Run it from the repository root, with citygeo's own dependencies installed::

    python data_samples/make_reykjavik.py                          # downloads the source package
    python data_samples/make_reykjavik.py gostnets-1.2.1.tar.gz    # or uses one that is already here

The download is ``pip download --no-deps --no-binary gostnets``, which asks the source package for its
metadata in an environment of its own; where that cannot be made, add ``--no-build-isolation``, for which
``setuptools`` and, in an old virtual environment, ``wheel`` must be installed.

The same input gives the same bytes: objects are sorted by type and id, the header is fixed, and versions,
timestamps, users and changesets are dropped. ``README.md`` in the folder says what is in the result.
"""

from __future__ import annotations

import argparse
import hashlib
import subprocess
import sys
import tarfile
import tempfile
from collections import Counter
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import geopandas as gpd
import numpy as np
import osmium
import shapely
from osmium.osm import AREA, NODE, RELATION, WAY
from osmium.osm.mutable import Node, Relation, Way

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

    from numpy.typing import NDArray

SOURCE = "gostnets==1.2.1"
MEMBER = "docs/tutorials/tutorial_data/iceland-latest.osm.pbf"
SOURCE_SHA256 = "19fe59138659d032300d3abfc2018bd90582cac03fbe3984ee75209479fe9af6"
DATA_DATE = "2019-05-09T20:14:02Z"  # osmosis_replication_timestamp of the source
OUTPUT = Path(__file__).parent / "reykjavik" / "reykjavik.osm.pbf"
MAX_BYTES = 8_000_000

REGION = 3881596  # relation Höfuðborgarsvæðið, admin_level 5
BOUNDARY_LEVELS = ("5", "6", "9", "10")
ROAD_MARGIN_M = 2_000.0  # roads just outside keep the roads at the edge of the region connected

# an object with one of these keys is a feature; landuse only where it tells homes from workplaces
FEATURE_KEYS = ("amenity", "building", "healthcare", "landuse", "leisure", "public_transport", "shop")
LANDUSE = frozenset(("commercial", "farmyard", "industrial", "military", "residential", "retail"))

# what features keep; roads and the nodes on them keep every tag they have
FEATURE_TAGS = frozenset(
    (
        *FEATURE_KEYS, "access", "addr:housenumber", "addr:street", "bench", "building:levels", "bus",
        "capacity", "denomination", "emergency", "highway", "isced:level", "man_made", "name", "name:en",
        "name:zh", "office", "operator", "operator:type", "parking", "religion", "roof:levels", "school",
        "shelter", "social_facility", "sport", "tourism", "type", "wheelchair",
    )
)  # fmt: skip
BOUNDARY_TAGS = frozenset(
    (
        "admin_level", "alt_name", "boundary", "name", "name:en", "name:is", "name:zh", "old_name", "type",
        "wikidata",
    )
)  # fmt: skip
NO_TAGS: frozenset[str] = frozenset()

Tags = dict[str, str]
Region = shapely.Polygon | shapely.MultiPolygon


@dataclass(frozen=True)
class Selection:
    """The ids that make up the sample, and the tags of each object."""

    nodes: dict[int, Tags]
    ways: dict[int, tuple[list[int], Tags]]
    relations: dict[int, tuple[list[tuple[str, int, str]], Tags]]

    def used_nodes(self) -> NDArray[np.int64]:
        """Return the sorted ids of the nodes that ways run through."""
        return np.unique(np.concatenate([np.array(refs, np.int64) for refs, _ in self.ways.values()]))


def is_feature(tags: Any) -> bool:
    """Tell whether an object with these tags belongs in the sample as a feature."""
    found = [key for key in FEATURE_KEYS if key in tags]
    return bool(found) and (found != ["landuse"] or tags["landuse"] in LANDUSE)


def is_boundary(tags: Any) -> bool:
    """Tell whether these are the tags of an administrative boundary of a level kept here."""
    return tags.get("boundary") == "administrative" and tags.get("admin_level") in BOUNDARY_LEVELS


def keep(tags: Iterable[Any], wanted: frozenset[str]) -> Tags:
    """Return the tags with a wanted key, sorted by key."""
    return dict(sorted((tag.k, tag.v) for tag in tags if tag.k in wanted))


def every(tags: Iterable[Any]) -> Tags:
    """Return all tags, sorted by key."""
    return dict(sorted((tag.k, tag.v) for tag in tags))


def read_areas(path: Path) -> tuple[list[tuple[bool, int]], NDArray[np.object_]]:
    """Return (is it a way, id) and the geometry of every area that is a feature or a boundary."""
    keys = osmium.filter.KeyFilter(*FEATURE_KEYS, "boundary")
    source = osmium.FileProcessor(str(path)).with_areas(keys)
    areas: Iterable[Any] = source.with_filter(osmium.filter.EntityFilter(AREA)).with_filter(keys)
    make_wkb = osmium.geom.WKBFactory().create_multipolygon
    ids, wkb = [], []
    for area in areas:
        if area.num_rings()[0] and (is_feature(area.tags) or is_boundary(area.tags)):
            ids.append((area.from_way(), area.orig_id()))
            wkb.append(make_wkb(area))
    return ids, shapely.from_wkb(np.array(wkb, object))


def grow(region: Region, distance_m: float) -> Region:
    """Buffer a WGS 84 polygon by metres, by way of Iceland's own projection."""
    grown: Region = gpd.GeoSeries([region], crs=4326).to_crs(3057).buffer(distance_m).to_crs(4326).iloc[0]
    return grown


def within(region: Region, lonlat: NDArray[np.float64]) -> NDArray[np.bool_]:
    """Tell which points, shape `(n, 2)`, lie in the region; most are sorted out by its box."""
    west, south, east, north = region.bounds
    lon, lat = lonlat.T
    inside: NDArray[np.bool_] = (lon >= west) & (lon <= east) & (lat >= south) & (lat <= north)
    inside[inside] = shapely.contains_xy(region, lon[inside], lat[inside])
    return inside


def select_areas(path: Path) -> tuple[Region, set[int], set[int]]:
    """Return the region, and the ids of the ways and of the relations whose area lies in it."""
    ids, geometry = read_areas(path)
    region = geometry[ids.index((False, REGION))]
    shapely.prepare(region)
    points = shapely.point_on_surface(geometry)
    chosen = within(region, shapely.get_coordinates(points))
    found = [item for item, inside in zip(ids, chosen, strict=True) if inside]
    ways = {number for is_way, number in found if is_way}
    return region, ways, {number for is_way, number in found if not is_way}


def read_relations(path: Path, wanted: set[int]) -> dict[int, tuple[list[tuple[str, int, str]], Tags]]:
    """Return the members that are ways, and the tags, of the wanted relations."""
    relations = {}
    items: Iterable[Any] = osmium.FileProcessor(str(path), RELATION)
    for relation in items:
        if relation.id in wanted:
            tags = BOUNDARY_TAGS if is_boundary(relation.tags) else FEATURE_TAGS
            members = [("w", member.ref, member.role) for member in relation.members if member.type == "w"]
            relations[relation.id] = members, keep(relation.tags, tags)
    return relations


def read_restrictions(
    path: Path, roads: Mapping[int, list[int]]
) -> dict[int, tuple[list[tuple[str, int, str]], Tags]]:
    """Return the turn restrictions between roads that are all in the sample."""
    nodes = {ref for refs in roads.values() for ref in refs}
    found = {}
    source = osmium.FileProcessor(str(path), RELATION)
    items: Iterable[Any] = source.with_filter(osmium.filter.TagFilter(("type", "restriction")))
    for relation in items:
        members = [(member.type, member.ref, member.role) for member in relation.members]
        if members and all(ref in (roads if kind == "w" else nodes) for kind, ref, _ in members):
            found[relation.id] = members, every(relation.tags)
    return found


def read_ways(
    path: Path, near: Region, areas: set[int], members: set[int]
) -> dict[int, tuple[list[int], Tags]]:
    """Return nodes and tags of the roads near the region, of the areas in it, and of boundary members."""
    make_wkb = osmium.geom.WKBFactory().create_linestring
    ways: dict[int, tuple[list[int], Tags]] = {}
    places: dict[int, NDArray[np.float64]] = {}  # of roads that are wanted only if near
    source = osmium.FileProcessor(str(path), NODE | WAY).with_locations()
    items: Iterable[Any] = source.with_filter(osmium.filter.EntityFilter(WAY))
    for way in items:
        is_road = "highway" in way.tags and len(way.nodes) > 1
        is_part = way.id in areas or way.id in members
        if is_road or is_part:
            ways[way.id] = [node.ref for node in way.nodes], way_tags(way, areas)
        if is_road and not is_part:
            line = bytes.fromhex(make_wkb(way, osmium.geom.ALL)[18:])
            places[way.id] = np.frombuffer(line, "<f8").reshape(-1, 2)
    starts = np.cumsum([0, *(len(line) for line in places.values())])[:-1]
    is_near = np.logical_or.reduceat(within(near, np.concatenate(list(places.values()))), starts)
    far = {number for number, keep_it in zip(places, is_near, strict=True) if not keep_it}
    return {number: way for number, way in ways.items() if number not in far}


def way_tags(way: Any, areas: set[int]) -> Tags:
    """Return the tags to keep of a way: all of a road, some of a feature or boundary, none of a mere part."""
    if "highway" in way.tags:
        return every(way.tags)
    tags = keep(way.tags, FEATURE_TAGS if is_feature(way.tags) else NO_TAGS)
    return tags | keep(way.tags, BOUNDARY_TAGS if way.id in areas and is_boundary(way.tags) else NO_TAGS)


def read_nodes(path: Path, region: Region, on_roads: set[int]) -> dict[int, Tags]:
    """Return the tags of the feature nodes in the region, and of the tagged nodes on roads."""
    nodes: dict[int, Tags] = {}
    features, places = [], []
    source = osmium.FileProcessor(str(path), NODE)
    items: Iterable[Any] = source.with_filter(osmium.filter.EmptyTagFilter())
    for node in items:
        if node.id in on_roads:
            nodes[node.id] = every(node.tags)
        elif is_feature(node.tags) or node.tags.get("highway") == "bus_stop":
            features.append((node.id, keep(node.tags, FEATURE_TAGS)))
            places.append((node.lon, node.lat))
    inside = within(region, np.array(places))
    nodes.update(item for item, is_inside in zip(features, inside, strict=True) if is_inside)
    return nodes


def select(path: Path) -> tuple[Selection, Region]:
    """Choose what the sample holds; return it with the region."""
    region, area_ways, area_relations = select_areas(path)
    relations = read_relations(path, area_relations)
    members = {ref for refs, _ in relations.values() for _, ref, _ in refs}
    near = grow(region, ROAD_MARGIN_M)
    shapely.prepare(near)
    ways = read_ways(path, near, area_ways, members)
    roads = {number: refs for number, (refs, tags) in ways.items() if "highway" in tags}
    on_roads = {ref for refs in roads.values() for ref in refs}
    relations |= read_restrictions(path, roads)
    return Selection(read_nodes(path, region, on_roads), ways, relations), region


def used_places(path: Path, wanted: NDArray[np.int64]) -> Iterator[tuple[int, tuple[float, float]]]:
    """Yield id and place (lon, lat) of the wanted nodes, in the order of the file."""
    source = osmium.FileProcessor(str(path), NODE)
    items: Iterable[Any] = source.with_filter(osmium.filter.IdFilter(wanted.tolist()))
    yield from ((node.id, (node.lon, node.lat)) for node in items)


def write(source: Path, selection: Selection, region: Region, target: Path) -> None:
    """Write the sample, nodes then ways then relations, each by id."""
    west, south, east, north = region.bounds
    header = osmium.io.Header()
    header.set("generator", "citygeo make_reykjavik")
    header.set("osmosis_replication_timestamp", DATA_DATE)
    header.add_box(osmium.osm.Box(west, south, east, north))
    form = "pbf,pbf_compression=zlib,pbf_compression_level=9,add_metadata=false"
    wanted = np.union1d(selection.used_nodes(), np.fromiter(selection.nodes, np.int64))
    places = dict(used_places(source, wanted))
    with osmium.SimpleWriter(osmium.io.File(str(target), form), header=header, overwrite=True) as writer:
        for number in wanted.tolist():
            writer.add_node(Node(id=number, location=places[number], tags=selection.nodes.get(number, {})))
        for number, (refs, tags) in sorted(selection.ways.items()):
            writer.add_way(Way(id=number, nodes=refs, tags=tags))
        for number, (members, tags) in sorted(selection.relations.items()):
            writer.add_relation(Relation(id=number, members=members, tags=tags))


def counts(selection: Selection) -> Counter[str]:
    """Count what the sample holds, for the table of its README."""
    nodes = selection.nodes.keys() | set(selection.used_nodes().tolist())
    sizes = {"nodes": len(nodes), "ways": len(selection.ways), "relations": len(selection.relations)}
    found: Counter[str] = Counter(sizes)
    tables: list[Iterable[Mapping[str, str]]] = [
        selection.nodes.values(),
        (tags for _, tags in selection.ways.values()),
        (tags for _, tags in selection.relations.values()),
    ]
    for kind, tables_of_kind in zip(("node", "way", "relation"), tables, strict=True):
        for tags in tables_of_kind:
            found.update(f"{key} ({kind})" for key in (*FEATURE_KEYS, "highway", "boundary") if key in tags)
            for key in ("amenity", "leisure"):
                found.update([f"{key}={tags[key]}"] if key in tags else [])
            found.update(["highway=bus_stop"] if tags.get("highway") == "bus_stop" else [])
            found.update([f"admin_level={tags['admin_level']}"] if "admin_level" in tags else [])
            found.update([f"type={tags['type']}"] if tags.get("type") == "restriction" else [])
    return found


def unpack(source: Path | None, folder: Path) -> Path:
    """Return the Iceland PBF out of the source package, downloading the package if none is given."""
    if source is None:
        options = ["--no-deps", "--no-binary", "gostnets", "-d", str(folder)]
        subprocess.run([sys.executable, "-m", "pip", "download", *options, SOURCE], check=True)
        source = next(folder.glob("gostnets-*.tar.gz"))
    if source.suffix == ".pbf":
        return source
    target = folder / "iceland.osm.pbf"
    with tarfile.open(source) as package:
        member = next(item for item in package if item.name.endswith(MEMBER))
        content = package.extractfile(member)
        if content is None:
            sys.exit(f"{MEMBER} is not a file in {source}")
        target.write_bytes(content.read())
    return target


def sha256(path: Path) -> str:
    """Return the sha256 of a file."""
    return hashlib.sha256(path.read_bytes()).hexdigest()


def main() -> None:
    """Make the sample and print the figures its README states."""
    parser = argparse.ArgumentParser(description="Cut the Reykjavík sample out of the Iceland extract.")
    parser.add_argument("source", nargs="?", type=Path, help="gostnets-1.2.1.tar.gz, or its .osm.pbf")
    parser.add_argument("-o", "--output", type=Path, default=OUTPUT)
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        source = unpack(options.source, Path(folder))
        if sha256(source) != SOURCE_SHA256:
            sys.exit(f"{source.name} has sha256 {sha256(source)}, not {SOURCE_SHA256}: it is another extract")
        selection, region = select(source)
        target = Path(folder) / "reykjavik.osm.pbf"
        write(source, selection, region, target)
        data = target.read_bytes()
    if len(data) > MAX_BYTES:
        sys.exit(f"the sample has {len(data)} bytes, more than {MAX_BYTES}")
    options.output.parent.mkdir(parents=True, exist_ok=True)
    options.output.write_bytes(data)
    for name, count in counts(selection).most_common():
        print(f"{count:>8}  {name}")
    print(f"{len(data)} bytes, sha256 {hashlib.sha256(data).hexdigest()}: {options.output}")


if __name__ == "__main__":
    main()
