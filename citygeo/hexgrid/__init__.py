"""
H3 cells: from points and polygons, to polygons, areas, neighbours, parents and sums.

Cells are ``uint64`` arrays here and in all of citygeo; they are text only in tables and files. Twelve
cells of each resolution are pentagons, so nothing here counts on six neighbours, corners or seven children.
"""

from citygeo.hexgrid.fill import MAX_CELLS, cells_in
from citygeo.hexgrid.hierarchy import (
    children,
    children_count,
    order,
    parents,
    resolution_of,
    resolutions,
    sums_by_cell,
)
from citygeo.hexgrid.points import cell_centres, cells_of_points
from citygeo.hexgrid.shapes import cell_areas_m2, cell_polygons, connected_groups
from citygeo.hexgrid.text import from_strings, has_cell_index, to_strings

__all__ = [
    "MAX_CELLS",
    "cell_areas_m2",
    "cell_centres",
    "cell_polygons",
    "cells_in",
    "cells_of_points",
    "children",
    "children_count",
    "connected_groups",
    "from_strings",
    "has_cell_index",
    "order",
    "parents",
    "resolution_of",
    "resolutions",
    "sums_by_cell",
    "to_strings",
]
