"""
H3 cells: from points and polygons, to polygons, areas, neighbours, parents and sums.

Cells are ``uint64`` arrays here and in all of citygeo; they are text only in tables and files. Twelve
cells of each resolution are pentagons, so nothing here counts on six neighbours, corners or seven children.
"""

from citygeo.hexgrid.around import area_shares, smooth
from citygeo.hexgrid.fill import cells_in
from citygeo.hexgrid.hierarchy import (
    children,
    children_count,
    order,
    parents,
    resolution_of,
    resolutions,
    sums_by_cell,
)
from citygeo.hexgrid.inputs import MAX_CELLS
from citygeo.hexgrid.outline import dissolve
from citygeo.hexgrid.points import cell_centres, cells_of_points
from citygeo.hexgrid.scale import aggregate, refine
from citygeo.hexgrid.sets import compact, connected_groups, neighbours, uncompact
from citygeo.hexgrid.shapes import cell_areas_m2, cell_polygons
from citygeo.hexgrid.tables import to_frame
from citygeo.hexgrid.text import from_strings, has_cell_index, to_strings

__all__ = [
    "MAX_CELLS",
    "aggregate",
    "area_shares",
    "cell_areas_m2",
    "cell_centres",
    "cell_polygons",
    "cells_in",
    "cells_of_points",
    "children",
    "children_count",
    "compact",
    "connected_groups",
    "dissolve",
    "from_strings",
    "has_cell_index",
    "neighbours",
    "order",
    "parents",
    "refine",
    "resolution_of",
    "resolutions",
    "smooth",
    "sums_by_cell",
    "to_frame",
    "to_strings",
    "uncompact",
]
