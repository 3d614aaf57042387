"""What a result was made from: inputs with sha256, parameters, versions."""

from __future__ import annotations

import hashlib
import platform
from datetime import UTC, datetime
from importlib.metadata import PackageNotFoundError, version
from typing import TYPE_CHECKING, Any

import citygeo

if TYPE_CHECKING:
    from pathlib import Path

    import pandas as pd
    from numpy.typing import NDArray

PACKAGES = ("numpy", "numba", "geopandas", "shapely", "pyproj", "h3", "osmium")
OSM_ATTRIBUTION = "© OpenStreetMap contributors, ODbL 1.0"


def sha256_file(path: Path) -> str:
    """Return the SHA-256 of a file, read in pieces."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def sha256_text(text: str) -> str:
    """Return the SHA-256 of a text."""
    return hashlib.sha256(text.encode()).hexdigest()


def sha256_layer(layer: pd.DataFrame | pd.Series) -> str:
    """
    Return a SHA-256 of a table: names of columns, row labels and values; of a layer also its CRS and geometry.

    Numbers count by their bytes, all else by its text, so the sum is the same on every machine.
    """
    import geopandas as gpd
    import pandas as pd
    import shapely

    digest = hashlib.sha256()
    if isinstance(layer, pd.Series):
        layer = layer.to_frame("values")
    columns = list(layer.columns)
    if isinstance(layer, gpd.GeoDataFrame) and layer.active_geometry_name is not None:
        columns.remove(layer.active_geometry_name)
        digest.update(str(layer.crs).encode())
        digest.update(b"".join(wkb or b"-" for wkb in shapely.to_wkb(layer.geometry.to_numpy())))
    digest.update(f"{len(layer)} {columns}".encode())
    levels = [layer.index.get_level_values(level) for level in range(layer.index.nlevels)]
    places = [place for place, name in enumerate(layer.columns) if name in columns]
    for values in (*levels, *(layer.iloc[:, place] for place in places)):
        digest.update(_value_bytes(values.to_numpy()))
    return digest.hexdigest()


def _value_bytes(values: NDArray[Any]) -> bytes:
    """Return numbers as little-endian bytes, anything else as text of all values behind each other."""
    import pandas as pd

    if values.dtype.kind in "biuf":
        return f" {values.dtype.kind} ".encode() + values.astype(values.dtype.newbyteorder("<")).tobytes()
    told = values.astype(object)
    told[pd.isna(told)] = "\x1e"
    return "\x1f".join(map(str, told)).encode()


def describe(action: str, inputs: dict[str, str], parameters: dict[str, Any]) -> dict[str, Any]:
    """
    Return the provenance of a result.

    Parameters
    ----------
    action
        The function that made it.
    inputs
        Name of each input -> its sha256.
    parameters
        All parameters, defaults included.
    """
    return {
        "action": action,
        "inputs": inputs,
        "parameters": parameters,
        "versions": {"citygeo": citygeo.__version__}
        | {name: _version(name) for name in PACKAGES}
        | {"python": platform.python_version()},
        "made_at": datetime.now(UTC).isoformat(timespec="seconds"),
        "attribution": OSM_ATTRIBUTION,
    }


def _version(package: str) -> str:
    try:
        return version(package)
    except PackageNotFoundError:
        return "not installed"
