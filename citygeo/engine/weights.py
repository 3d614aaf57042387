"""What targets weigh, in whole numbers: sums of integers are the same in whatever order they are added."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

SUM_BITS = 52  # sums of so many bits are exact as float64
DECAY_BITS = 30  # a decay counts in steps of 2**-30
DECAYED_SUM_BITS = 62 - DECAY_BITS  # what is left of an int64 for the weights


@dataclass(frozen=True)
class Weights:
    """
    Weights, cut-offs and decay as kernels take them.

    Attributes
    ----------
    weight
        int64 `(rows, q)`, in units of `quantum`.
    quantum
        float64 `(q,)`, powers of two.
    cutoff_ms
        uint32 `(cut-offs,)`, ascending.
    decay
        int64, in steps of 2**-30, at each whole millisecond up to the last cut-off; empty for none.
    """

    weight: NDArray[np.int64]
    quantum: NDArray[np.float64]
    cutoff_ms: NDArray[np.uint32]
    decay: NDArray[np.int64]

    @classmethod
    def made(
        cls, weight: NDArray[np.float64], cutoff_ms: list[int], decay: NDArray[np.float64] | None = None
    ) -> Weights:
        """
        Round weights to whole quanta.

        Whole numbers stay exact as long as their sum is below 2**52, or 2**32 with a decay. Others are rounded to
        the finest power of two for which the sum of all stays below that: to a 2**52th of the sum, or a 2**32th.

        Parameters
        ----------
        weight
            `(rows, q)`, finite.
        cutoff_ms
            Ascending.
        decay
            0 to 1 at each whole millisecond up to the last cut-off.

        Raises
        ------
        ValueError
            If kernels would read past the end of these, or add up what is no number.
        """
        if not cutoff_ms or cutoff_ms[0] < 0 or sorted(cutoff_ms) != list(cutoff_ms):
            raise ValueError(f"cut-offs must ascend from 0 or more: {cutoff_ms}")
        if decay is not None and decay.shape != (cutoff_ms[-1] + 1,):
            raise ValueError(f"a decay up to {cutoff_ms[-1]} ms needs one more value, not {decay.shape}")
        if not np.isfinite(weight).all():
            raise ValueError("weights must be finite")
        bits = SUM_BITS if decay is None else DECAYED_SUM_BITS
        total = np.abs(weight).sum(axis=0)
        finest = np.exp2(np.ceil(np.log2(np.maximum(total, 1e-300))) - bits)
        is_whole = (weight == np.rint(weight)).all(axis=0) & (total < 2.0**bits)
        quantum = np.where(is_whole, 1.0, finest)
        steps = np.empty(0, np.int64) if decay is None else np.rint(decay * 2**DECAY_BITS).astype(np.int64)
        rounded = np.rint(weight / quantum).astype(np.int64)
        return cls(np.ascontiguousarray(rounded), quantum, np.array(cutoff_ms, np.uint32), steps)

    @property
    def shape(self) -> tuple[int, int]:
        """Number of cut-offs and of weights."""
        return self.cutoff_ms.size, self.weight.shape[1]

    @property
    def arrays(self) -> tuple[NDArray[np.int64], NDArray[np.uint32], NDArray[np.int64]]:
        """Weight, cut-offs and decay, in the order of the kernels."""
        return self.weight, self.cutoff_ms, self.decay

    def unscaled(self, sums: NDArray[np.int64]) -> NDArray[np.float64]:
        """Return sums of quanta as numbers in the caller's unit."""
        scale = self.quantum if self.decay.size == 0 else self.quantum * 2.0**-DECAY_BITS
        return sums * scale
