"""Charts of the public report: Matplotlib draws them, and they become part of the page.

Each is made twice, for wide and for narrow pages, as SVG without fonts or addresses; its colors are those of the page's style sheet, so
that it follows light and dark. A hidden figure is a small ring on the base line. Without Matplotlib (the extra `report`) there are none:
the page has a table of the same numbers beside each.
"""

from __future__ import annotations

import io
import re
import textwrap
from collections.abc import Callable, Sequence
from functools import cache
from typing import TYPE_CHECKING, Any

from msgspec import Struct

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

# What Matplotlib draws with, and what stands for it in the page.
INK, SOFT, GRID, HELD, REFUSED, BRAND, PAPER = "#010101", "#010102", "#010103", "#010104", "#010105", "#010106", "#010107"
VARIABLES = {
    INK: "var(--ink)",
    SOFT: "var(--soft)",
    GRID: "var(--grid)",
    HELD: "var(--held)",
    REFUSED: "var(--refused)",
    BRAND: "var(--brand)",
    PAPER: "var(--card)",
}
WIDE, NARROW = 9.6, 3.6  # inches of 72 points
MOST_LABELS = {WIDE: 12, NARROW: 4}
STYLE: dict[str, Any] = {
    "svg.fonttype": "none",
    "font.size": 10,
    "text.color": INK,
    "axes.edgecolor": SOFT,
    "axes.labelcolor": SOFT,
    "xtick.color": SOFT,
    "ytick.color": SOFT,
    "grid.color": GRID,
    "axes.spines.top": False,
    "axes.spines.right": False,
    "axes.spines.left": False,
    "axes.axisbelow": True,
    "ytick.major.size": 0,
    "figure.constrained_layout.use": True,
    "font.family": "DejaVu Sans",  # which comes with Matplotlib; measured with, not drawn with
}


class Chart(Struct, frozen=True):
    """One chart for wide pages and one for narrow, as SVG to stand in a page."""

    wide: str
    narrow: str


class Series(Struct, frozen=True):
    """Heights by label, one below the other; None is hidden."""

    name: str
    color: str
    heights: tuple[int | None, ...]


@cache
def can_draw() -> bool:
    """Whether the extra `report` is installed."""
    try:
        import matplotlib.figure  # noqa: F401, PLC0415
    except ImportError:
        return False
    return True


def columns(name: str, labels: Sequence[str], series: Sequence[Series]) -> Chart | None:
    """Stacked columns over time; None if nothing can be drawn."""

    def draw(figure: Figure, width: float) -> None:
        axes = figure.subplots()
        _stack(axes, series)
        _label(axes, labels, MOST_LABELS[width])
        _scale(axes)

    return _drawn(name, draw, height=3.4) if labels else None


def panels(name: str, labels: Sequence[str], series: Sequence[Series]) -> Chart | None:
    """A small chart for each series, all of one scale of time and each with a scale of its own."""

    def draw(figure: Figure, width: float) -> None:
        across = 3 if width == WIDE else 2
        grid = figure.subplots(-(-len(series) // across), across, squeeze=False)
        for axes, each in zip(grid.flat, series, strict=False):
            _stack(axes, [each])
            axes.set_title(textwrap.fill(each.name, 36 if width == WIDE else 22), loc="left", fontsize=10, color=INK)
            _label(axes, labels, 3 if width == WIDE else 2)
            _scale(axes, ticks=3)
        for axes in grid.flat[len(series) :]:
            axes.set_axis_off()

    heights = [1.75 * -(-len(series) // across) for across in (3, 2)]
    return _drawn(name, draw, height=heights[0], narrow_height=heights[1]) if series and labels else None


def bars(name: str, labels: Sequence[str], counts: Sequence[int | None]) -> Chart | None:
    """Horizontal bars, the first on top."""

    def draw(figure: Figure, _: float) -> None:
        axes = figure.subplots()
        places = range(len(labels))
        axes.barh(places, [count or 0 for count in counts], color=BRAND, height=0.62)
        _ring(axes, [(0, place) for place in places if counts[place] is None])
        axes.set_yticks(list(places), labels)
        axes.invert_yaxis()
        axes.grid(axis="x")
        axes.xaxis.set_major_locator(_whole_numbers(4))
        axes.xaxis.set_major_formatter("{x:,.0f}")
        axes.spines.bottom.set_visible(False)
        axes.tick_params(axis="x", length=0)

    return _drawn(name, draw, height=0.36 * len(labels) + 0.4) if any(counts) else None


def _stack(axes: Axes, series: Sequence[Series]) -> None:
    places = range(len(series[0].heights))
    base = [0] * len(places)
    for each in series:
        heights = [height or 0 for height in each.heights]
        axes.bar(places, heights, bottom=base, color=each.color, width=0.78)
        base = [below + height for below, height in zip(base, heights, strict=True)]
    _ring(axes, [(place, 0) for place in places if any(each.heights[place] is None for each in series)])


def _ring(axes: Axes, places: Sequence[tuple[int, int]]) -> None:
    """A ring where a figure is hidden."""
    if places:
        across, up = zip(*places, strict=True)
        axes.plot(across, up, linestyle="", marker="o", markersize=4, markerfacecolor=PAPER, markeredgecolor=SOFT, clip_on=False, zorder=5)


def _label(axes: Axes, labels: Sequence[str], most: int) -> None:
    every = -(-len(labels) // most)
    axes.set_xticks(list(range(0, len(labels), every)), labels[::every])
    axes.tick_params(axis="x", length=3)


def _scale(axes: Axes, ticks: int = 5) -> None:
    axes.grid(axis="y")
    axes.yaxis.set_major_locator(_whole_numbers(ticks))
    axes.yaxis.set_major_formatter("{x:,.0f}")
    axes.set_ylim(bottom=0)


def _whole_numbers(most: int) -> Any:  # noqa: ANN401  (Matplotlib is no dependency of the core)
    from matplotlib.ticker import MaxNLocator  # noqa: PLC0415

    return MaxNLocator(most, integer=True, min_n_ticks=1)


# --- to SVG --------------------------------------------------------------------------------------


def _drawn(name: str, draw: Callable[[Figure, float], None], *, height: float, narrow_height: float | None = None) -> Chart | None:
    if not can_draw():
        return None
    return Chart(_svg(f"{name}-wide", draw, WIDE, height), _svg(f"{name}-narrow", draw, NARROW, narrow_height or height))


def _svg(name: str, draw: Callable[[Figure, float], None], width: float, height: float) -> str:
    import matplotlib as mpl  # noqa: PLC0415
    from matplotlib.figure import Figure  # noqa: PLC0415

    made = io.StringIO()
    with mpl.rc_context(STYLE | {"svg.hashsalt": name}):  # type: ignore[arg-type,unused-ignore]  # names, in stubs since 3.11
        figure = Figure(figsize=(width, height))
        figure.patch.set_alpha(0)
        draw(figure, width)
        for axes in figure.axes:
            axes.patch.set_alpha(0)
        figure.savefig(made, format="svg", metadata={"Date": None})
    return inlined(made.getvalue())


def inlined(svg: str) -> str:
    """An SVG file as an element of a page: its colors the page's, nothing that could meet another chart's names.

    >>> inlined('<?xml version="1.0"?><svg id="a" xmlns="x" width="1pt" viewBox="0 0 1 1"><g style="fill: #010104"/></svg>')
    '<svg viewBox="0 0 1 1" aria-hidden="true" focusable="false"><g style="fill: var(--held)"/></svg>'
    """
    svg = svg[svg.index("<svg") :]
    svg = re.sub(r"<metadata>.*?</metadata>|<style.*?</style>|<clipPath.*?</clipPath>", "", svg, flags=re.DOTALL)
    svg = svg.replace("xlink:href", "href")
    used = set(re.findall(r'href="#([^"]+)"', svg))
    svg = re.sub(r'\sid="([^"]*)"', lambda found: found[0] if found[1] in used else "", svg)
    svg = re.sub(r'\s(?:xmlns(?::\w+)?|version|clip-path)="[^"]*"|\s(?:width|height)="[\d.]+pt"|\sfont-family: [^;]*;', "", svg)
    for color, variable in VARIABLES.items():
        svg = svg.replace(color, variable)
    svg = re.sub(r"\s+", " ", re.sub(r"<defs>\s*</defs>|>\s+(?=<)", lambda found: found[0][0] if found[0][0] == ">" else "", svg)).strip()
    return re.sub(r"^<svg([^>]*?)\s*>", r'<svg\1 aria-hidden="true" focusable="false">', svg)
