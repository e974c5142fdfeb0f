"""The style of every picture, and what shows pictures in a notebook and on a page.

A figure is drawn 5.2 inches wide with 11-point type, so that it is still legible in the 350 pixels
of a phone. It is an SVG without background; the site turns its lightness over in dark mode. Colours
mean the same everywhere: `mode_color(k)` for the k-th mode, `COLORS[model]` for a model.
"""

from __future__ import annotations

import base64
import html
import io
from collections.abc import Callable, Sequence
from typing import Any

import matplotlib
import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from numpy.typing import NDArray

__all__ = [
    "COLORS",
    "FAINT",
    "INK",
    "MODES",
    "NAMES",
    "STYLE",
    "WIDTH",
    "direct_labels",
    "mode_color",
    "panels",
    "playground",
    "scatter_labels",
    "to_svg",
    "use_style",
]

INK, FAINT = "#1c2430", "#9aa3ad"
MODES = ("#0b63b5", "#d1495b", "#1a8a5f", "#b8720a", "#7a4bb8", "#0f8b9d", "#b03a8c", "#6b7a1e")
COLORS = {
    "mstar": "#0b63b5",
    "pmi": "#d1495b",
    "ppmi": "#b8720a",
    "theory": INK,
    "quartic": "#1a8a5f",
    "qwem": "#1a8a5f",
    "sgns": "#7a4bb8",
}
NAMES = {"mstar": "M*", "pmi": "PMI", "ppmi": "PPMI", "qwem": "QWEM", "sgns": "word2vec"}
WIDTH = 5.2

STYLE: Any = {  # what matplotlib calls its parameters
    "font.size": 11,
    "axes.titlesize": 11,
    "axes.titlelocation": "left",
    "axes.spines.top": False,
    "axes.spines.right": False,
    "axes.edgecolor": INK,
    "axes.labelcolor": INK,
    "text.color": INK,
    "xtick.color": INK,
    "ytick.color": INK,
    "axes.linewidth": 0.8,
    "lines.linewidth": 2,
    "legend.frameon": False,
    "legend.fontsize": 10,
    "figure.constrained_layout.use": True,
    "svg.hashsalt": "qw2v",  # the same figure is the same file
    "savefig.transparent": True,
}


def mode_color(k: int) -> str:
    """Return the colour of mode k, counted from 1; modes past the eighth are grey."""
    return MODES[k - 1] if k <= len(MODES) else FAINT


def use_style() -> None:
    """Set the companion's style, and have notebooks show every Figure as an SVG."""
    matplotlib.rcParams.update(STYLE)
    try:
        from IPython import get_ipython
    except ImportError:
        return
    if shell := get_ipython():
        from matplotlib import pyplot  # noqa: F401  its first import resets the formatters

        formatters = shell.display_formatter.formatters
        formatters["image/svg+xml"].for_type(Figure, to_svg)


def to_svg(figure: Figure) -> str:
    """Return a figure as SVG text, the same bytes for the same figure."""
    stream = io.StringIO()
    with matplotlib.rc_context(
        {key: STYLE[key] for key in ("svg.hashsalt", "savefig.transparent")}
    ):
        figure.savefig(stream, format="svg", metadata={"Date": None})
    return stream.getvalue()


def panels(
    rows: int = 1, columns: int = 1, height: float = 3.2, **options: Any
) -> tuple[Figure, Any]:
    """Return a Figure of the companion's width, in its style, and its axes."""
    with matplotlib.rc_context(STYLE):
        figure = Figure(figsize=(WIDTH, height))
        return figure, figure.subplots(rows, columns, **options)


def playground(draw: Callable[..., Figure], alt: str = "", **controls: Any) -> Any:
    """Return a figure with controls: live in a kernel, a still picture on a page without one.

    `controls` are ipywidgets by the name of `draw`'s arguments; their first values give the still
    picture, whose text is `alt`. A page without a kernel shows no slider that could not move.
    """
    import ipywidgets

    def picture(**values: Any) -> str:
        return to_svg(draw(**values))

    values = {name: control.value for name, control in controls.items()}
    still = picture(**values)
    view = ipywidgets.HTML(_img(still, alt))

    def redraw(_: Any) -> None:
        now = {name: control.value for name, control in controls.items()}
        try:
            view.value = _img(picture(**now), alt)
        except (ValueError, ArithmeticError) as problem:
            view.value = f"<p role='alert'>{html.escape(str(problem))}</p>"

    for control in controls.values():
        control.observe(redraw, names="value")

    class Playground(ipywidgets.VBox):
        def _repr_mimebundle_(self, **options: Any) -> Any:
            bundle = super()._repr_mimebundle_(**options)
            data, metadata = bundle if isinstance(bundle, tuple) else (bundle, {})
            return {**data, "image/svg+xml": still}, metadata

    return Playground([*controls.values(), view])


def _img(svg: str, alt: str) -> str:
    encoded = base64.b64encode(svg.encode()).decode()
    source = f"data:image/svg+xml;base64,{encoded}"
    return f'<img alt="{html.escape(alt)}" style="max-width:100%" src="{source}">'


def direct_labels(ax: Axes, x: float, heights: NDArray, labels: Sequence[str]) -> None:
    """Write each label beside its curve's end, pushed apart so that none overlaps another."""
    if not labels:
        return
    gap = 0.062 * np.ptp(ax.get_ylim())
    place = np.inf
    for k, label in enumerate(labels):
        place = min(heights[k], place - gap)
        ax.annotate(
            label,
            (x, place),
            (4, 0),
            textcoords="offset points",
            color=mode_color(k + 1),
            va="center",
            fontsize=9,
            annotation_clip=False,
            parse_math=False,  # a word may hold dollar signs
        )


def scatter_labels(
    ax: Axes, words: Sequence[str], points: NDArray, colors: Sequence[str], size: float = 9
) -> None:
    """Write each word near its point, on the first height where it covers no earlier word."""
    anchors = ax.transData.transform(points) * 72 / ax.figure.dpi
    taken: list[tuple[float, float, float]] = []
    for word, (x, y), point, color in zip(words, anchors, points, colors, strict=True):
        width, height = 0.62 * size * len(word), 1.25 * size
        for step in (0, -1, 1, -2, 2, -3, 3, -4, 4):
            low = y + 3 + step * height
            if all(
                abs(low - other) >= height or x + width < left or x > right
                for left, right, other in taken
            ):
                break
        taken.append((x, x + width, low))
        ax.annotate(
            word,
            point,
            (3, low - y),
            textcoords="offset points",
            fontsize=size,
            color=color,
            parse_math=False,
        )
