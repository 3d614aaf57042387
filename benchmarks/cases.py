"""What is measured: every case of the suite, its sides, and the limit of the machine for it."""

from __future__ import annotations

from benchmarks import given, physics
from benchmarks.case import Case, ours, peer

MINUTE_MS = 60_000
FIVE = (5 * MINUTE_MS,)

NO_BOUND = {
    "igraph, networkit, rustworkx": "have no cut-off, or only one that visits the whole graph",
    "routingkit-cch, pyroutingkit": "answer pairs and tables, not areas",
}
SLOW = {"ObjectNat": "the tables of its engine IduEdu took 15 s for 100 sources"}

CASES = {
    "reach-300": Case(
        "nodes within 300 s of every node",
        "wuhan3",
        "counts",
        given.from_all(*FIVE),
        (*ours(hierarchy=True), peer("scipy"), peer("pandana", 2), peer("cityseer", 2, every=10)),
        physics.swept_limit,
        NO_BOUND,
    ),
    "reach-3": Case(
        "nodes within 300, 900 and 1,800 s of every node, at once",
        "wuhan",
        "counts",
        given.from_all(5 * MINUTE_MS, 15 * MINUTE_MS, 30 * MINUTE_MS),
        (*ours(hierarchy=True), peer("scipy", every=16, check_only=True), peer("pandana", 2)),
        physics.swept_limit,
        NO_BOUND,
    ),
    "trees": Case(
        "1,000 full trees",
        "wuhan3",
        "trees",
        given.to_all,
        (
            *ours(hierarchy=True),
            peer("scipy"),
            peer("edsger"),
            peer("networkit", every=10),
            peer("igraph", every=10),
            peer("rustworkx", every=10),
        ),
        physics.trees_limit,
        {"pandana, cityseer": "have no full trees", **SLOW},
    ),
    "table": Case(
        "travel times 1,000 x 1,000",
        "wuhan3",
        "table",
        given.square,
        (
            *ours(hierarchy=True),
            peer("scipy", every=10),
            peer("igraph", every=10),
            peer("routingkit-cch"),
            peer("pyroutingkit"),
        ),
        physics.table_limit,
        {"networkit, rustworkx": "make whole trees for it: see there", **SLOW},
    ),
    "table-map": Case(
        "travel times 1,000 x 1,000 between places on the map",
        "iceland",
        "table_of_places",
        given.squared_places,
        (*ours(is_own_graph=True, hierarchy=True), peer("osrm", 2, is_own_graph=True, python="peer")),
        None,
        {"valhalla": "a table of 100 x 100 took 15 s"},
    ),
    "nearest": Case(
        "nearest of 1,000 facilities for every node",
        "iceland",
        "nearest",
        given.nearest_of(1),
        (*ours(), peer("scipy"), peer("pandana", 2)),
        physics.nearest_limit,
        {"igraph, networkit, rustworkx": "have no search from many sources at once"},
    ),
    "nearest-5": Case(
        "5 nearest of 1,000 facilities for every node",
        "iceland",
        "nearest",
        given.nearest_of(5),
        (*ours(), peer("scipy", check_only=True), peer("pandana", 2)),
        physics.nearest_limit,
    ),
    "nearest-city": Case(
        "nearest of 1,000 facilities for every node",
        "wuhan3",
        "nearest",
        given.nearest_of(1),
        (*ours(), peer("scipy"), peer("objectnat", 2)),
        physics.nearest_limit,
    ),
    "prepare": Case(
        "order, build and customise a hierarchy",
        "wuhan3",
        "prepare",
        given.few_to_check,
        (
            *ours(),
            peer("scipy", check_only=True),
            peer("routingkit-cch"),
            peer("pyroutingkit"),
        ),
    ),
    "customise": Case(
        "customise it again after all speeds changed",
        "wuhan3",
        "customise",
        given.changed,
        (
            *ours(hierarchy=True),
            peer("scipy", check_only=True),
            peer("routingkit-cch"),
            peer("pyroutingkit"),
        ),
    ),
    **{
        f"reach-{name}": Case(
            f"nodes within {minutes} min of {count:,} nodes",
            name,
            "counts",
            given.from_some(count, minutes * MINUTE_MS),
            (*ours(), peer("scipy")),
            physics.settled_limit,
        )
        for name, minutes, count in (
            ("reykjavik", 4, 2000),
            ("goteborg", 5, 2000),
            ("iceland", 10, 1000),
            ("world", 120, 100),
        )
    },
    **{
        f"scale-{copies}": Case(
            f"nodes within 300 s of {count:,} nodes, mapped arrays",
            f"tiles{copies}",
            "mapped_counts",
            given.from_mapped(count, *FIVE),
            (
                *ours(keeps_memory=True),
                peer("scipy", every=count // 16, keeps_memory=True),
            ),
            physics.settled_limit,
            {},
            "" if copies == 10 else "scale-10",
        )
        for copies, count in ((10, 4096), (102, 4096), (1020, 4096))
    },
    **{
        f"isochrones-{name}{suffix}": Case(
            f"{told} of {count:,} places",
            name,
            "isochrones",
            given.facilities(count, *minutes),
            (
                *ours(is_own_graph=True),
                peer("valhalla", every=count // 50, is_own_graph=True, python="peer"),
                peer("osmnx-recipe", every=count // 10, is_own_graph=True),
                peer("objectnat-isochrones", every=count // 10, is_own_graph=True),
            ),
        )
        for name in ("reykjavik", "iceland")
        for suffix, told, count, minutes in (
            ("", "5-minute polygons", 1000, (5,)),
            ("-bands", "polygons of 5, 10 and 15 minutes", 200, (5, 10, 15)),
        )
    },
    **{
        f"edges-{name}": Case(
            "reached parts of roads within 5 minutes of 1,000 places",
            name,
            "edge_parts",
            given.facilities(1000, 5),
            ours(is_own_graph=True),
        )
        for name in ("reykjavik", "iceland")
    },
}
