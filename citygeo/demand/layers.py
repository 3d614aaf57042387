"""People of layers and tables: choose where each row counts, add up, tell what was found."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from citygeo import hexgrid
from citygeo.demand.antimeridian import cut_at_antimeridian
from citygeo.demand.cells import parts_of_cells
from citygeo.demand.columns import Amounts
from citygeo.demand.dasymetric import parts_by_layer
from citygeo.demand.found import Found
from citygeo.demand.ground import require_on_earth
from citygeo.demand.parts import Parts, sums_of_parts
from citygeo.demand.people import from_micro
from citygeo.demand.zones import Zones, parts_at_points, parts_over_areas, require_treatment, tell_zones
from citygeo.errors import error

if TYPE_CHECKING:
    from collections.abc import Sequence

    import geopandas as gpd

    from citygeo.demand.rules import Rules
    from citygeo.issues import IssueLog

WORDS = {
    "cells": "cells of one resolution added up",
    "children": "coarser cells divided evenly among their children",
    "point": "rows count in the cell of a point inside them",
    "by": "people of areas spread over what `by` holds in them",
    "even": "people of areas spread evenly over their land",
}
WORDS_ZH = {
    "cells": "格网人口汇总到同一级别",
    "children": "较粗格网的人口平均分给下级格网",
    "point": "各行按其内部点计入所在格网",
    "by": "面内人口按 by 图层要素分配",
    "even": "面内人口按面积平均分配",
}


def people_of_layer(layer: gpd.GeoDataFrame, columns: Sequence[str], rules: Rules, log: IssueLog) -> Found:
    """
    Add up the people of a layer, or of a table of cells.

    Parameters
    ----------
    layer
        Rows with geometry, or indexed by H3 cells.
    columns
        The column of people, then those that are carried.
    rules
        How rows count.
    log
        Takes CG-DEM-005, 012 to 021, 026.

    Raises
    ------
    CitygeoError
        As `citygeo.population`.
    """
    require_treatment(rules.polygons)
    if not len(layer):
        raise error("CG-IN-001", layer="source")
    amounts = Amounts.of(layer, "source", columns[0], columns[1:])
    if hexgrid.has_cell_index(layer):
        parts, is_divided = parts_of_cells(layer, rules, log)
        done = ["cells", *(["children"] if is_divided else [])]
    else:
        require_on_earth(layer, "source")
        layer, is_mended = cut_at_antimeridian(layer)
        log.add("CG-DEM-021", count=int(is_mended.sum()), sample=layer.index[is_mended])
        parts, done = _parts_of_rows(layer, amounts, rules, log)
        is_divided = bool({"by", "even"} & set(done))
        _tell_lost(layer, amounts, parts, log)
    cells, sums, outside = sums_of_parts(amounts.micro, parts)
    people, total = (f"{from_micro(micro):,.0f}" for micro in (outside[0], amounts.micro[:, 0].sum()))
    log.add("CG-DEM-020", count=int(outside.any()), people=people, total=total)
    is_estimate = bool(layer.attrs.get("estimate", False)) or is_divided
    words, words_zh = ("; ".join(language[one] for one in done) for language in (WORDS, WORDS_ZH))
    return Found(cells, amounts.columns(sums, is_divided=is_divided), words, words_zh, is_estimate)


def _parts_of_rows(
    layer: gpd.GeoDataFrame, amounts: Amounts, rules: Rules, log: IssueLog
) -> tuple[Parts, list[str]]:
    """Return where the rows count, and which of `WORDS` was done."""
    zones = Zones.of(layer, amounts.is_any(), rules, log)
    has_by = rules.by is not None
    shared = Parts.joined(()) if rules.by is None else parts_by_layer(zones, rules.by, rules, log)
    is_by = np.isin(zones.row, shared.row)
    without = zones.row[~is_by]
    people = f"{from_micro(amounts.micro[without, 0].sum()):,.0f}"
    log.add("CG-DEM-015", count=without.size * has_by, sample=layer.index[without], people=people)
    is_even = ~zones.is_small & ~is_by
    at_point = np.ones(len(layer), np.bool_)
    at_point[zones.row[is_by | is_even]] = False
    tell_zones(layer, zones, amounts, rules, log, is_even=is_even)
    point = parts_at_points(layer, np.flatnonzero(at_point), rules)
    even = parts_over_areas(zones, is_even, rules)
    done = [name for name, parts in (("point", point), ("by", shared), ("even", even)) if parts.row.size]
    return Parts.joined((point, shared, even)), done


def _tell_lost(layer: gpd.GeoDataFrame, amounts: Amounts, parts: Parts, log: IssueLog) -> None:
    """Record rows with people that have no place."""
    lost = amounts.is_any()
    lost[parts.row] = False
    people = f"{from_micro(amounts.micro[lost, 0].sum()):,.0f}"
    log.add("CG-DEM-005", count=int(lost.sum()), sample=layer.index[lost], people=people)
