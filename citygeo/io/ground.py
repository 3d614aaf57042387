"""How many metres on the ground a step in a CRS is, and where its places are on the globe."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from citygeo.errors import error

if TYPE_CHECKING:
    import pyproj
    from numpy.typing import NDArray

NEAR_M = 0.001
NEAR_DEGREES = 1e-8  # about 1 mm of latitude
STEPS = 100_000  # of NEAR: 100 m, far enough to measure a scale, near enough for it to hold


class Ground:
    """
    A CRS as seen from the ground.

    Parameters
    ----------
    crs
        Geographic or projected, whatever its units.
    name
        What the caller calls the layer, for the message.

    Attributes
    ----------
    near
        In units of the CRS: 1 mm, in a geographic one 1e-8 degrees.

    Raises
    ------
    CRSError
        CG-LINE-001: no way leads from the CRS to WGS 84.

    Examples
    --------
    >>> import pyproj
    >>> Ground(pyproj.CRS(3857), "roads").metres_per_unit(np.array([[0.0, 8399737.89]])).round(3).tolist()
    [[0.501, 0.5]]
    """

    def __init__(self, crs: pyproj.CRS, name: str) -> None:
        import pyproj
        from pyproj.exceptions import ProjError

        self._geod = pyproj.Geod(ellps="WGS84")
        try:
            self._to_lonlat = pyproj.Transformer.from_crs(crs, 4326, always_xy=True)
        except ProjError as cause:
            raise error("CG-LINE-001", layer=name, crs=crs.name) from cause
        flat = crs.sub_crs_list[0] if crs.is_compound else crs
        unit = flat.axis_info[0].unit_conversion_factor  # to radians or metres
        self.near = np.radians(NEAR_DEGREES) / unit if crs.is_geographic else NEAR_M / unit

    def lonlat(self, xy: NDArray[np.float64]) -> NDArray[np.float64]:
        """Return degrees of longitude and latitude, `(k, 2)`; not finite where the CRS does not reach."""
        return np.column_stack(self._to_lonlat.transform(xy[:, 0], xy[:, 1]))

    def metres_per_unit(self, xy: NDArray[np.float64]) -> NDArray[np.float64]:
        """Return the metres of a step of one unit in x and in y at places, `(k, 2)`, on the WGS 84 ellipsoid."""
        step = self.near * STEPS
        start = self.lonlat(xy)
        metres = [
            self._geod.inv(*start.T, *self.lonlat(xy + shift).T)[2] for shift in ((step, 0.0), (0.0, step))
        ]
        return np.column_stack(metres) / step
