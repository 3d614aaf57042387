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

PACKAGES = ("numpy", "numba", "geopandas", "shapely", "pyproj", "h3", "osmium")
OSM_ATTRIBUTION = "© OpenStreetMap contributors, ODbL 1.0"


def sha256_file(path: Path) -> str:
    """Return the SHA-256 of a file, read in pieces."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def sha256_text(text: str) -> str:
    """Return the SHA-256 of a text."""
    return hashlib.sha256(text.encode()).hexdigest()


def sha256_layer(layer: pd.DataFrame) -> str:
    """Return a SHA-256 of a table: row labels, columns and values as text; of a layer also its CRS and geometry."""
    import geopandas as gpd
    import pandas as pd
    import shapely

    digest = hashlib.sha256()
    plain = layer
    if isinstance(layer, gpd.GeoDataFrame) and layer.active_geometry_name is not None:
        plain = pd.DataFrame(layer.drop(columns=layer.active_geometry_name))
        digest.update(str(layer.crs).encode())
        for wkb in shapely.to_wkb(layer.geometry.to_numpy()):
            digest.update(wkb or b"-")
    digest.update(plain.to_csv().encode())
    return digest.hexdigest()


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
