"""Every picture of the companion: one function a figure, a module a chapter, one style.

A figure is taken by its module's name, `figures.closed_form.history`; the style and what shows a
picture are here by name: `figures.use_style`, `figures.playground`.
"""

from qw2v.figures import (
    after,
    analogies,
    closed_form,
    counting,
    derivation,
    exact,
    features,
    quality,
    relatives,
    steps,
    training,
    weights,
)
from qw2v.figures._style import (
    COLORS,
    FAINT,
    INK,
    MODES,
    NAMES,
    STYLE,
    WIDTH,
    direct_labels,
    mode_color,
    panels,
    playground,
    scatter_labels,
    to_svg,
    use_style,
)

__all__ = [
    "COLORS",
    "FAINT",
    "INK",
    "MODES",
    "NAMES",
    "STYLE",
    "WIDTH",
    "after",
    "analogies",
    "closed_form",
    "counting",
    "derivation",
    "direct_labels",
    "exact",
    "features",
    "mode_color",
    "panels",
    "playground",
    "quality",
    "relatives",
    "scatter_labels",
    "steps",
    "to_svg",
    "training",
    "use_style",
    "weights",
]
