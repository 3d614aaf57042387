"""Where the rows of a table stand: H3 cells at their centres, rows of a layer where their geometry is."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

from citygeo import hexgrid

if TYPE_CHECKING:
    import geopandas as gpd


class Standing(NamedTuple):
    """
    Rows and what stands for them.

    Attributes
    ----------
    rows
        The caller's rows; cells without geometry with their outlines, labelled with their text.
    places
        What is put on the network, labelled as the rows: the centres of cells, else the rows themselves.
    """

    rows: gpd.GeoDataFrame
    places: gpd.GeoDataFrame


def standing(table: Any) -> Standing:
    """
    Return where the rows of a layer, or of a table indexed by H3 cells, stand.

    Parameters
    ----------
    table
        What the caller passed; what is neither comes back as it is, to be refused by name.

    Examples
    --------
    >>> import pandas as pd
    >>> stood = standing(pd.DataFrame({"population": [12]}, index=["8928308280fffff"]))
    >>> stood.rows.geometry.geom_type.tolist(), stood.places.geometry.geom_type.tolist()
    (['Polygon'], ['Point'])
    """
    import geopandas as gpd
    import pandas as pd
    import shapely

    if not isinstance(table, pd.DataFrame) or not hexgrid.has_cell_index(table):
        return Standing(table, table)
    has_geometry = isinstance(table, gpd.GeoDataFrame) and table.active_geometry_name is not None
    rows: Any = table if has_geometry else hexgrid.to_frame(table)
    centres = shapely.points(hexgrid.cell_centres(hexgrid.from_strings(rows.index)))
    return Standing(rows, rows.set_geometry(gpd.GeoSeries(centres, crs=4326, index=rows.index)))
