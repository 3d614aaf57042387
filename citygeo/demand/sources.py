"""What people come from: files and tables, told apart."""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING, Any

import geopandas as gpd
import pandas as pd
import shapely

from citygeo import datum, hexgrid
from citygeo.errors import error
from citygeo.io.places import place_table
from citygeo.io.tables import read_layer

if TYPE_CHECKING:
    from citygeo.issues import IssueLog

RASTERS = (".tif", ".tiff")
CELL = "h3_cell"
SAME_OUTLINE_DEG = 1e-6  # about 0.1 m; what a file in another CRS may lose on the way


def is_raster(source: object) -> bool:
    """Tell whether a source is the path of a GeoTIFF, by its suffix."""
    return isinstance(source, str | os.PathLike) and Path(source).suffix.lower() in RASTERS


def layer_of(source: Any, name: str, log: IssueLog) -> gpd.GeoDataFrame:
    """
    Return a source as a layer.

    Parameters
    ----------
    source
        Path of a layer, a GeoDataFrame, or a table of places or H3 cells.
    name
        What the caller calls it.
    log
        Takes the findings of the reader.

    Returns
    -------
    A GeoDataFrame, indexed by ``h3_cell`` if its rows are H3 cells.

    Raises
    ------
    CitygeoError
        As `citygeo.io.tables.read_layer` for paths; CG-IN-005 a table without places, CG-IN-007 no layer.
    """
    if isinstance(source, str | os.PathLike):
        return cells_or_places(read_layer(Path(source), issues=log), Path(source).name)
    if isinstance(source, gpd.GeoDataFrame):
        return source
    if isinstance(source, pd.DataFrame):
        if hexgrid.has_cell_index(source):
            return gpd.GeoDataFrame(
                source, geometry=gpd.GeoSeries([None] * len(source), source.index, crs=datum.WGS84)
            )
        return place_table(source, name, None)
    raise error("CG-IN-007", layer=name, kind=type(source).__name__)


def cells_or_places(layer: gpd.GeoDataFrame, name: str) -> gpd.GeoDataFrame:
    """
    Index a layer by its column of H3 cells, unless its rows have places of their own.

    Parameters
    ----------
    layer
        A layer as read from a file.
    name
        Of the file.

    Raises
    ------
    InputError
        CG-IN-003, CG-IN-006 if cells without places are no cells, or stand twice.
    """
    if layer.index.name == CELL and layer.geometry.notna().any():
        layer = layer.reset_index()
    if CELL not in layer.columns:
        return layer
    if layer.geometry.isna().all():
        return place_table(pd.DataFrame(layer.drop(columns=layer.geometry.name)), name, None)
    return layer.set_index(CELL) if _is_drawing_of_cells(layer) else layer


def _is_drawing_of_cells(layer: gpd.GeoDataFrame) -> bool:
    """Tell whether each row's shape is just the outline of the cell it names, as in citygeo's own files."""
    indexed = layer.set_index(CELL)
    is_named_once = indexed.index.is_unique and hexgrid.has_cell_index(indexed)
    if not is_named_once or layer.crs is None or not layer.geom_type.isin(["Polygon", "MultiPolygon"]).all():
        return False
    outlines = hexgrid.cell_polygons(hexgrid.from_strings(indexed.index))
    shapes = indexed.geometry.to_crs(datum.WGS84).to_numpy()
    return bool((shapely.hausdorff_distance(shapes, outlines) < SAME_OUTLINE_DEG).all())
