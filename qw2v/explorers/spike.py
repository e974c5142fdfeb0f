"""The spectrum of task vectors in the reader's hands: a bulk, and a spike above it."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

import numpy as np
import traitlets
from matplotlib.figure import Figure

from qw2v import datasets, figures, taskvectors
from qw2v.explorers.base import Explorer

NUMBERS = ("accuracy", "mean_share", "d_eff", "error", "scale", "edge")  # per category and d
RANGE = (2e-4, 3.0)  # of the eigenvalues shown
BINS_PER_DECADE = 8


class Spike(Explorer):
    """The dimension d grows: the bulk of the task vectors' spectrum narrows, and the spike stays.

    `category` is one of the analogy categories, `dim` one of the recorded dimensions. `record` is
    what `qw2v.taskvectors.emergence` returned for the dimensions `dims`; by default both are those
    of the shipped `task-spectra.json`.
    """

    module = "spike.js"
    category = traitlets.Unicode("gram7-past-tense").tag(sync=True)
    dim = traitlets.Int(128).tag(sync=True)

    def __init__(
        self,
        record: Mapping[str, Mapping] | None = None,
        dims: tuple[int, ...] | None = None,
        **traits: Any,
    ) -> None:
        if record is None:
            shipped = recorded()
            record, dims = shipped["categories"], tuple(shipped["dims"])
        if not dims:
            raise ValueError("dims are the dimensions of the record; received none")
        self.record, self.dims = record, dims
        self.fits = {
            name: [_fit(row, at) for at in range(len(dims))] for name, row in record.items()
        }
        spectra = [np.array(values) for row in record.values() for values in row["spectra"]]
        arrays = {
            "spectra": np.concatenate(spectra).astype(np.float32),
            "starts": np.cumsum([0, *map(len, spectra)]).astype(np.uint32),
            "numbers": np.array(
                [[self._numbers(name, at) for at in range(len(dims))] for name in record],
                np.float32,
            ),
        }
        texts = {
            "dims": dims,
            "categories": [[name, title(name), row["pairs"]] for name, row in record.items()],
            "range": RANGE,
            "bins": BINS_PER_DECADE,
        }
        default = {"category": next(iter(record)), "dim": dims[len(dims) // 2]}
        keep = {"category": self.category in record, "dim": self.dim in dims}
        traits = {name: value for name, value in default.items() if not keep[name]} | traits
        super().__init__(arrays, texts, **traits)

    @traitlets.validate("category", "dim")
    def _known(self, proposal: Mapping) -> Any:
        value, trait = proposal["value"], proposal["trait"].name
        allowed = list(self.record) if trait == "category" else list(self.dims)
        if value not in allowed:
            raise traitlets.TraitError(f"{trait} is {value!r}; choose one of {allowed}")
        return value

    def _numbers(self, name: str, at: int) -> tuple[float, ...]:
        row, fit = self.record[name], self.fits[name][at]
        first = row["accuracy"][at], row["mean_share"][at]
        if fit is None:
            return *first, *[np.nan] * 4
        return *first, fit.bulk.dim, fit.dim_error, fit.bulk.scale, fit.bulk.edges[1]

    @property
    def alt(self) -> str:
        """The text of the still picture."""
        return (
            f"Above, eigenvalues of the task vectors of {title(self.category)} at d = {self.dim} "
            "as dots, under the curve of the Marchenko-Pastur law, with one eigenvalue far to the "
            "right, the spike. Below, the signal-to-noise ratio and the share of analogies "
            "completed against d."
        )

    def still(self) -> Figure:
        """Return the spectrum at the present d, and SNR and accuracy against d."""
        row, at = self.record[self.category], self.dims.index(self.dim)
        figure, (top, middle, bottom) = figures.panels(3, 1, height=6.2, height_ratios=(2, 1, 1))
        x, y = stacked(np.array(row["spectra"][at]))
        top.plot(x[1:], y[1:], "o", color=figures.MODES[0], markersize=5)
        top.plot(x[0], y[0], "D", color=figures.MODES[1], markersize=7)
        top.annotate(
            "spike",
            (x[0], y[0]),
            (0, 8),
            textcoords="offset points",
            ha="center",
            color=figures.MODES[1],
        )
        if fit := self.fits[self.category][at]:
            low, high = fit.bulk.edges
            grid = low + (high - low) * np.sin(np.linspace(0, np.pi / 2, 60)) ** 2
            width = np.log(10) / BINS_PER_DECADE
            top.plot(grid, row["pairs"] * width * grid * fit.bulk.density(grid), color=figures.INK)
            law = (
                f"Marchenko–Pastur, $d_\\mathrm{{eff}}$ = {fit.bulk.dim:.0f} ± {fit.dim_error:.0f}"
            )
            top.set_title(law)
        top.set(xscale="log", xlim=RANGE, ylim=(0, None), ylabel="eigenvalues")
        top.set(xlabel="eigenvalue of $RR^⊤/d$")
        top.minorticks_off()
        curves = (
            (middle, "SNR", [taskvectors.snr(s) for s in row["spectra"]]),
            (bottom, "accuracy in %", [100 * a for a in row["accuracy"]]),
        )
        for ax, label, values in curves:
            ax.plot(self.dims, values, "o-", color=figures.MODES[0], markersize=3)
            ax.axvline(self.dim, color=figures.FAINT, linestyle="--", linewidth=1)
            ax.set(xscale="log", ylabel=label, ylim=(0, None))
            ax.set_xticks([4, 16, 64, 256, 1024], ["4", "16", "64", "256", "1024"])
            ax.minorticks_off()
        bottom.set(xlabel="dimension d")
        return figure


def recorded() -> dict:
    """Return the shipped spectra of task vectors, `task-spectra.json` (see data/README.md)."""
    return json.loads(datasets.verify("task-spectra.json").read_text(encoding="ascii"))


def title(category: str) -> str:
    """Return a category's name as a reader would write it.

    >>> title("gram7-past-tense")
    'past tense'
    """
    first, _, rest = category.partition("-")
    return (rest if first.startswith("gram") and rest else category).replace("-", " ")


def _fit(row: Mapping, at: int) -> taskvectors.BulkFit | None:
    """Fit the bulk; None with fewer dimensions than pairs, or with fewer than three pairs."""
    values = row["spectra"][at]
    if len(values) < row["pairs"] or row["pairs"] < 3:
        return None
    try:
        return taskvectors.fit_bulk(values)
    except ValueError:  # pairs that depend on each other
        return None


def stacked(values: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Return where the dots of a dot plot lie: x, and y counted up within bins of log x."""
    x = np.clip(values, *RANGE)
    bins = np.floor(np.log10(x / RANGE[0]) * BINS_PER_DECADE).astype(int)
    earlier = [np.sum(bins[i:] == b) for i, b in enumerate(bins)]
    return x, np.array(earlier) - 0.5
