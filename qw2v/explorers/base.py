"""What every explorer shares: one ES module, live in a kernel and on a page without one.

An explorer is an anywidget whose traits are its controls. Its module draws everything from a small
table of numbers, so that it needs no kernel: `_repr_mimebundle_` adds a `text/html` view in which
the SAME module runs on a stand-in for the model. The modules are written in `js/` at the top of the
checkout and built into `static/` by `make bundles`; `common.css` holds their looks.
"""

from __future__ import annotations

import base64
import hashlib
import html
import inspect
import json
import sys
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import anywidget
import numpy as np
import traitlets
from matplotlib.figure import Figure
from numpy.typing import NDArray

from qw2v import figures
from qw2v._packing import base85, pack

FOLDER = Path(__file__).parent


class Explorer(anywidget.AnyWidget):
    """A widget that stays alive on a static page, drawn by the ES module beside its class.

    A subclass has its controls as synchronised traits (numbers, strings, booleans), draws them in
    `module`, a file of `static/` beside it, and gives `still()`, the picture of the default view
    for paper and for pages without JavaScript, and `alt`, its text. `heights` are its own in
    pixels, 350 px and 700 px wide: a page keeps that room free until it is drawn. `arrays` reach
    the module as typed arrays, `texts` as JSON.
    """

    module = ""
    alt = ""
    heights = (0, 0)
    still: Callable[[], Figure]
    _blob = traitlets.Bytes().tag(sync=True)
    _layout = traitlets.Dict().tag(sync=True)
    _texts = traitlets.Dict().tag(sync=True)

    def __init_subclass__(cls, **options: Any) -> None:
        """Read the module of a new kind of explorer."""
        if "module" in vars(cls):  # not for the class that traitlets makes to add a trait
            folder = Path(inspect.getfile(cls)).parent
            if not hasattr(cls, "still") and cls.stills is Explorer.stills:
                raise TypeError(f"{cls.__name__} has no picture for paper: give it still()")
            cls._esm = (folder / "static" / cls.module).read_text(encoding="utf-8")
            cls._css = stylesheet()
        super().__init_subclass__(**options)

    def __init__(self, arrays: Mapping[str, NDArray], texts: Mapping[str, Any], **traits: Any):
        layout, blob = pack(arrays)
        super().__init__(_layout=layout, _blob=blob, _texts=dict(texts), **traits)

    def stills(self) -> Mapping[str, Figure]:
        """Return the pictures of the default view by their texts."""
        return {self.alt: self.still()}

    def to_html(self) -> str:
        """Return the explorer as HTML that runs in a browser with no kernel and no network."""
        own = set(self.traits(sync=True)) - set(anywidget.AnyWidget.class_traits())
        own -= {"_esm", "_css", "_anywidget_id", "comm"}
        state = {name: getattr(self, name) for name in sorted(own)}
        state["_blob"] = base85(state["_blob"])
        text = json.dumps(state, separators=(",", ":"), ensure_ascii=False).replace("<", "\\u003c")
        name = f"{type(self).__name__.lower()}-{hashlib.sha256(text.encode()).hexdigest()[:8]}"
        pictures = "".join(_img(alt, figure) for alt, figure in self.stills().items())
        narrow, wide = self.heights
        return (
            f'<div class="qw2v-explorer" data-explorer="{name}" '
            f'style="--narrow:{narrow}px;--wide:{wide}px">\n<style>{self._css}</style>\n'
            f'{pictures}<div class="qw2v-live"></div>\n'
            f'<script type="application/json">{text}</script>\n'
            f'<script type="module">\n{self._esm}\nawait bundle.mount("{name}");\n</script>\n</div>'
        )

    def _repr_mimebundle_(self, **options: Any) -> Any:
        bundle = super()._repr_mimebundle_(**options)
        if "google.colab" in sys.modules:  # it might show the page's view in place of the live one
            return bundle
        data, metadata = bundle if isinstance(bundle, tuple) else (bundle or {}, {})
        return {**data, "text/html": self.to_html()}, metadata


def _img(alt: str, figure: Figure) -> str:
    picture = base64.b64encode(figures.to_svg(figure).encode()).decode()
    return (
        f'<img class="qw2v-still ink" alt="{html.escape(alt)}" '
        f'src="data:image/svg+xml;base64,{picture}">\n'
    )


def stylesheet() -> str:
    """Return `common.css` under the colours of `qw2v.figures`, for light and for dark pages."""
    rules = (FOLDER / "common.css").read_text(encoding="utf-8")
    for name, ground in (("light", "#ffffff"), ("dark", "#14181e")):
        colors = "".join(
            f"--m{k}: {legible(color, ground)}; " for k, color in enumerate(figures.MODES, start=1)
        )
        rules = rules.replace(f"/* {name} colours */", colors.strip())
    return rules


def legible(color: str, ground: str, contrast: float = 4.5) -> str:
    """Return the colour, moved towards black or white until text in it can be read on the ground.

    Contrast is that of the Web Content Accessibility Guidelines, from 1 to 21; they ask for 4.5.

    >>> legible("#0b63b5", "#ffffff"), legible("#0b63b5", "#14181e")
    ('#0b63b5', '#4185c5')
    """
    start, back = (np.array([int(c[i : i + 2], 16) for i in (1, 3, 5)]) for c in (color, ground))
    end = 255.0 if _luminance(back) < 0.18 else 0.0
    for share in np.linspace(0, 1, 51):
        moved = np.rint((1 - share) * start + share * end).astype(int)
        dim, bright = sorted((_luminance(moved), _luminance(back)))
        if (bright + 0.05) / (dim + 0.05) >= contrast:
            break
    return "#" + "".join(f"{channel:02x}" for channel in moved)


def _luminance(rgb: NDArray) -> float:
    """Relative luminance of an sRGB colour, in [0, 1]."""
    share = rgb / 255
    linear = np.where(share <= 0.04045, share / 12.92, ((share + 0.055) / 1.055) ** 2.4)
    return float(linear @ [0.2126, 0.7152, 0.0722])
