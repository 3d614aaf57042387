"""People of one raster or of several, a column each."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from citygeo.demand.columns import POPULATION, require_names
from citygeo.demand.found import Found
from citygeo.demand.raster import cells_of_raster
from citygeo.demand.sources import is_raster
from citygeo.errors import error

if TYPE_CHECKING:
    from collections.abc import Mapping


def people_of_rasters(rasters: Mapping[str, Any], column: str, resolution: int, **options: Any) -> Found:
    """
    Add up the people of rasters by cell, a column for each raster.

    Parameters
    ----------
    rasters
        Path of a GeoTIFF for each column.
    column
        The one with the people, called population in the result.
    resolution
        H3 resolution.
    **options
        Of `cells_of_raster`.

    Raises
    ------
    InputError
        CG-IN-004 if something else than a GeoTIFF was given; CG-IN-005 if none is called `column`.
    """
    if column not in rasters:
        raise error("CG-IN-005", layer="source", column=column, columns=", ".join(map(str, rasters)))
    others = tuple(name for name in rasters if name != column)
    names = (POPULATION, *others)
    require_names(names)
    for path in rasters.values():
        if not is_raster(path):
            rule, hint = "A mapping names a GeoTIFF (.tif) for each column.", "Pass a layer by itself."
            raise error("CG-IN-004", argument="source", value=path, rule=rule, hint=hint)
    read = [cells_of_raster(rasters[name], resolution, **options) for name in (column, *others)]
    cells = np.unique(np.concatenate([own for own, _, _ in read]))
    columns = {}
    for name, (own, sums, _) in zip(names, read, strict=True):
        columns[name] = np.zeros(cells.size)
        columns[name][np.searchsorted(cells, own)] = sums
    words, words_zh = (
        "; ".join(dict.fromkeys(str(facts[key]) for _, _, facts in read)) for key in ("method", "method_zh")
    )
    return Found(cells, columns, words, words_zh, is_estimate=True)
