"""Weights as int8 codes, one scale a column."""

import numpy as np
from numpy.typing import NDArray

INT8_MAX = 127
SMALLEST_PEAK = 1e-8  # keeps an all-zero column from dividing by zero


def quantize_columns(weight: NDArray[np.generic]) -> tuple[NDArray[np.int8], NDArray[np.float32]]:
    """[in, out] -> int8 codes [in, out] and scales [out]; codes * scales is about the weight."""
    exact = weight.astype(np.float32)
    scales = np.maximum(np.abs(exact).max(axis=0), SMALLEST_PEAK) / INT8_MAX
    return np.round(exact / scales).astype(np.int8), scales.astype(np.float32)
