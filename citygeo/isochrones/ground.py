"""What ground belongs to a band: the one contract of all polygons, whichever way they are drawn."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from citygeo.network.boxtree import box_tree

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from citygeo.network import RoadNetwork

ROAD_M = 10.0  # reached roads are drawn at least so far to each side
AT_ONCE = 1e6  # metres per millisecond: as fast as makes no difference, for infinity


class Ground(NamedTuple):
    """
    The ground around the roads of a network, and how one gets there.

    Off-road walking sets out from every reached place of a road and goes on until the time runs out, at most `trim_m`.
    Reached roads themselves always count, `ROAD_M` to each side. From bridges, tunnels and ferries nobody walks off.

    Attributes
    ----------
    corner, along, shape_start
        Corners of all edges in the network's metric CRS, `(c, 2)`, metres from the start of the edge to each `(c,)`,
        and where those of each edge begin `(e + 1,)`.
    off_ground
        Whether one cannot leave the road between each corner and the next, uint8 `(c,)`: 0 if one can.
    m_per_ms
        Speed off the road.
    trim_m
        How far off the road at most.
    """

    corner: NDArray[np.float64]
    along: NDArray[np.float64]
    shape_start: NDArray[np.int64]
    off_ground: NDArray[np.uint8]
    m_per_ms: float
    trim_m: float

    @classmethod
    def of(
        cls, network: RoadNetwork, *, offroad_kmh: float, trim_m: float, off_bridges: bool = False
    ) -> Ground:
        """
        Return the ground of a network.

        Parameters
        ----------
        network
            The network.
        offroad_kmh
            Speed off the road; infinity for a fixed distance of `trim_m`.
        trim_m
            How far off the road at most.
        off_bridges
            Whether bridges, tunnels and ferries are left like any road.
        """
        tree = box_tree(network)
        off_ground: NDArray[np.uint8] = network.arrays["shape_off_ground"]  # type: ignore[assignment]
        if off_bridges:
            off_ground = np.zeros_like(off_ground)
            off_ground.flags.writeable = False  # as the network's, for which kernels are compiled
        speed = min(offroad_kmh / 3600.0, AT_ONCE)
        return cls(tree.corner, tree.along, tree.shape_start, off_ground, speed, float(trim_m))
