"""What every explorer shares: one ES module, live in a kernel and on a page without one.

An explorer is an anywidget whose traits are its controls. Its module draws everything from a small
table of numbers, so that it needs no kernel: `_repr_mimebundle_` adds a `text/html` view in which
the SAME module runs on a shim of the model. `common.js`, put in front of each module, and
`common.css` hold the controls, the plots and the colours.
"""

from __future__ import annotations

import base64
import hashlib
import html
import inspect
import json
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import anywidget
import numpy as np
import traitlets
from matplotlib.figure import Figure
from numpy.typing import NDArray

from qw2v import figures

FOLDER = Path(__file__).parent
CODES = {"i1": "Int8", "u1": "Uint8", "i2": "Int16", "u2": "Uint16", "i4": "Int32", "u4": "Uint32"}
CODES |= {"f4": "Float32", "f8": "Float64"}

# The page's stand-in for the kernel's model: what anywidget promises to a module, and no more.
SHIM = """
const root = [...document.querySelectorAll("[data-explorer='%s']")].find((e) => !e.dataset.live);
const state = JSON.parse(root.querySelector("script[type='application/json']").textContent);
state._blob = new DataView(Uint8Array.from(atob(state._blob), (c) => c.charCodeAt(0)).buffer);
const listeners = new Map();
const model = {
  get: (name) => state[name],
  set(name, value) {
    if (state[name] === value) return;
    state[name] = value;
    for (const call of [...(listeners.get(`change:${name}`) ?? [])]) call();
  },
  on: (event, call) => listeners.set(event, [...(listeners.get(event) ?? []), call]),
  off: (event, call) => listeners.set(event, listeners.get(event).filter((c) => c !== call)),
  save_changes() {},
};
render({ model, el: root.querySelector(".qw2v-live") });
root.dataset.live = "page";
"""


class Explorer(anywidget.AnyWidget):
    """A widget that stays alive on a static page; each subclass names its `module`, beside its file.

    A subclass has its controls as synchronised traits (numbers, strings, booleans), draws them in
    `module`, and gives `still()`, the picture of the default view for paper and for pages without
    JavaScript, and `alt`, its text. `arrays` reach the module as typed arrays, `texts` as JSON.
    """

    module = ""
    alt = ""
    _blob = traitlets.Bytes().tag(sync=True)
    _layout = traitlets.Dict().tag(sync=True)
    _texts = traitlets.Dict().tag(sync=True)

    def __init_subclass__(cls, **options: Any) -> None:
        """Read the module of a new kind of explorer."""
        if "module" in vars(cls):  # not for the class that traitlets makes to add a trait
            folder = Path(inspect.getfile(cls)).parent
            parts = FOLDER / "common.js", folder / cls.module
            cls._esm = "\n".join(part.read_text(encoding="utf-8") for part in parts)
            cls._css = stylesheet()
        super().__init_subclass__(**options)

    def __init__(self, arrays: Mapping[str, NDArray], texts: Mapping[str, Any], **traits: Any):
        layout, blob = pack(arrays)
        super().__init__(_layout=layout, _blob=blob, _texts=dict(texts), **traits)

    def still(self) -> Figure:
        """Return the picture of the default view."""
        raise NotImplementedError

    def to_html(self) -> str:
        """Return the explorer as HTML that runs in a browser with no kernel and no network."""
        own = set(self.traits(sync=True)) - set(anywidget.AnyWidget.class_traits())
        own -= {"_esm", "_css", "_anywidget_id", "comm"}
        state = {name: getattr(self, name) for name in sorted(own)}
        state["_blob"] = base64.b64encode(state["_blob"]).decode()
        text = json.dumps(state, separators=(",", ":"), ensure_ascii=False).replace("<", "\\u003c")
        name = f"{type(self).__name__.lower()}-{hashlib.sha256(text.encode()).hexdigest()[:8]}"
        picture = base64.b64encode(figures.to_svg(self.still()).encode()).decode()
        return (
            f'<div class="qw2v-explorer" data-explorer="{name}">\n<style>{self._css}</style>\n'
            f'<img class="qw2v-still ink" alt="{html.escape(self.alt)}" '
            f'src="data:image/svg+xml;base64,{picture}">\n<div class="qw2v-live"></div>\n'
            f'<script type="application/json">{text}</script>\n'
            f'<script type="module">\n{self._esm}\n{SHIM % name}</script>\n</div>'
        )

    def _repr_mimebundle_(self, **options: Any) -> Any:
        bundle = super()._repr_mimebundle_(**options)
        if "google.colab" in sys.modules:  # it might show the page's view in place of the live one
            return bundle
        data, metadata = bundle if isinstance(bundle, tuple) else (bundle or {}, {})
        return {**data, "text/html": self.to_html()}, metadata


def pack(arrays: Mapping[str, NDArray]) -> tuple[dict[str, Any], bytes]:
    """Return the layout {name: [kind, byte offset, shape]} and the bytes of arrays, little-endian.

    Raises TypeError for a type that has no typed array in JavaScript, such as int64.

    >>> pack({"a": np.array([1, 2], np.uint8), "b": np.array([[0.5]], np.float32)})
    ({'a': ['Uint8', 0, [2]], 'b': ['Float32', 4, [1, 1]]}, b'\\x01\\x02\\x00\\x00\\x00\\x00\\x00?')
    """
    layout, blob = {}, bytearray()
    for name, array in arrays.items():
        kind = CODES.get(array.dtype.str[1:])
        if kind is None:
            raise TypeError(
                f"array {name!r} is {array.dtype}; allowed are {', '.join(CODES)}: convert it first"
            )
        blob += b"\0" * (-len(blob) % array.itemsize)  # typed arrays start at whole items
        layout[name] = [kind, len(blob), list(array.shape)]
        blob += np.ascontiguousarray(array, array.dtype.newbyteorder("<")).tobytes()
    return layout, bytes(blob)


def quantised(array: NDArray, dtype: Any = np.int16) -> tuple[NDArray, NDArray[np.float64]]:
    """Return integers and a step per column, (n, d) and (d,): array = integers * step, rounded.

    The largest magnitude of each column takes the largest integer, so that no entry moves by more
    than half a step. A vector gives a step of shape ().

    >>> quantised(np.array([[1.0, 20.0], [-0.5, 10.0]]), np.int8)[0].tolist()
    [[127, 127], [-64, 64]]
    """
    step = np.maximum(np.abs(array).max(axis=0), 1e-300) / np.iinfo(dtype).max
    return np.rint(array / step).astype(dtype), step


def stylesheet() -> str:
    """Return `common.css` under the colours of `qw2v.figures`, for light and for dark pages."""
    names = [f"--m{k}" for k in range(1, len(figures.MODES) + 1)]
    light = "".join(f"{name}:{color};" for name, color in zip(names, figures.MODES, strict=True))
    dark = "".join(
        f"{name}:{lightened(color)};" for name, color in zip(names, figures.MODES, strict=True)
    )
    rules = (FOLDER / "common.css").read_text(encoding="utf-8")
    return rules.replace("/* light colours */", light).replace("/* dark colours */", dark)


def lightened(color: str) -> str:
    """Return the colour with its lightness turned over and its hue kept, for a dark ground.

    >>> lightened("#0b63b5")
    '#74b9fd'
    """
    red, green, blue = (int(color[i : i + 2], 16) for i in (1, 3, 5))
    turn = 255 - max(red, green, blue) - min(red, green, blue)
    shifted = (c + turn for c in (red, green, blue))
    # Half-way between the turned colour and a pale one of its hue: enough contrast for text.
    return "#" + "".join(f"{round(255 - (255 - c) * 0.8):02x}" for c in shifted)
