"""Names for the array types that kernels take."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

Int64s = npt.NDArray[np.int64]
UInt32s = npt.NDArray[np.uint32]
Bytes = npt.NDArray[np.uint8]
Float32s = npt.NDArray[np.float32]
Float64s = npt.NDArray[np.float64]
Effect = tuple[int, int, int, int, int, int, int]  # bits, from_price, removed, pull, fill, to_price, added
