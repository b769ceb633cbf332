"""Reliability: how often a text was what a model gave it a probability of being, and a diagram of it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from wildgate_service.model.results import Bin

SIZE = (4.5, 4.5)  # inches
AREA_OF_A_TEXT = 0.05  # of a mark, in square points; a bin of many texts has a larger one
LEAST_AREA, MOST_AREA = 12.0, 200.0


def reliability(probabilities: NDArray[np.float64], labels: NDArray[np.bool_], weights: NDArray[np.float64]) -> tuple[Bin, ...]:
    """Predicted against observed, in tenths of probability; empty tenths are left out."""
    tenths = np.minimum((probabilities * 10).astype(int), 9)
    return tuple(
        Bin(
            int(chosen.sum()),
            float(np.average(probabilities[chosen], weights=weights[chosen])),
            float(np.average(labels[chosen], weights=weights[chosen])),
        )
        for chosen in (tenths == tenth for tenth in np.unique(tenths))
    )


def draw_reliability(path: Path, models: Mapping[str, Sequence[Bin]]) -> None:
    """Write an SVG: for each model, share observed against probability predicted, beside the line of a perfect calibration."""
    import matplotlib as mpl  # noqa: PLC0415  (only training draws)
    from matplotlib.figure import Figure  # noqa: PLC0415

    mpl.rcParams["svg.hashsalt"] = "wildgate"  # the same figures give the same file
    figure = Figure(figsize=SIZE, layout="constrained")
    axes = figure.subplots()
    axes.plot([0, 1], [0, 1], color="0.7", linewidth=1, label="perfect")
    for name, bins in models.items():
        predicted, observed = [each.predicted for each in bins], [each.observed for each in bins]
        sizes = [min(MOST_AREA, max(LEAST_AREA, AREA_OF_A_TEXT * each.texts)) for each in bins]
        (line,) = axes.plot(predicted, observed, linewidth=1, label=name)
        axes.scatter(predicted, observed, s=sizes, color=line.get_color(), alpha=0.6)
    axes.set(xlabel="mean probability", ylabel="share positive", xlim=(0, 1), ylim=(0, 1), aspect="equal")
    axes.legend(frameon=False)
    figure.savefig(path, format="svg", metadata={"Date": None})
