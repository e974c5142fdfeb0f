"""The spectrum of task vectors in the reader's hands: a bulk, and a spike above it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import traitlets
from matplotlib.figure import Figure

from qw2v import datasets, figures, taskvectors
from qw2v.explorers.base import Explorer
from qw2v.figures.analogies import BINS_PER_DECADE, RANGE, draw_spectrum, title

NUMBERS = ("mean_share", "d_eff", "error", "scale", "edge")  # per kind of rows, category and d
RANGES = (RANGE, (2e-5, 10.0))  # of the eigenvalues shown: rows as they are, rows of length one
ACCURACIES = ("accuracy", "google_accuracy", "raw_accuracy", "raw_google_accuracy")
NORMALISATIONS = {
    # what the task vectors are taken from, and what the query is made of: 0 for rows as they are
    "paper": (0, 1),
    "none": (0, 0),
    "unit": (1, 1),
}


class Spike(Explorer):
    """The dimension d grows: the bulk of the task vectors' spectrum narrows, and the spike stays.

    `category` is one of the analogy categories, `dim` one of the recorded dimensions. `protocol` is
    that of `qw2v.evaluate`. `normalisation` says where rows of length one are used: "paper", in the
    questions but not for the task vectors; "none"; "unit", in both. `record` is what
    `qw2v.taskvectors.emergence` returned for the dimensions `dims`; by default both are those of
    the shipped `task-spectra.json`.
    """

    module = "spike.js"
    heights = (1025, 650)
    category = traitlets.Unicode("gram7-past-tense").tag(sync=True)
    dim = traitlets.Int(128).tag(sync=True)
    protocol = traitlets.Enum(["pairs", "google"], "pairs").tag(sync=True)
    normalisation = traitlets.Enum(list(NORMALISATIONS), "paper").tag(sync=True)

    def __init__(
        self,
        record: Mapping[str, Mapping] | None = None,
        dims: tuple[int, ...] | None = None,
        **traits: Any,
    ) -> None:
        if record is None:
            shipped = datasets.load_task_spectra()
            record, dims = shipped["categories"], tuple(shipped["dims"])
        if not dims:
            raise ValueError("dims are the dimensions of the record; received none")
        self.record, self.dims = record, dims
        kinds = [("spectra", "mean_share"), ("unit_spectra", "unit_mean_share")]
        self.spectra = [{name: row[key] for name, row in record.items()} for key, _ in kinds]
        shares = [{name: row[key] for name, row in record.items()} for _, key in kinds]
        self.fits = [
            {name: [_fit(v, record[name]["pairs"]) for v in rows] for name, rows in kind.items()}
            for kind in self.spectra
        ]
        numbers = [
            [list(map(_numbers, share[name], fits[name])) for name in record]
            for share, fits in zip(shares, self.fits, strict=True)
        ]
        flat = [np.array(v) for kind in self.spectra for rows in kind.values() for v in rows]
        accuracies = [[row[key] for row in record.values()] for key in ACCURACIES]
        arrays = {
            "spectra": np.concatenate(flat).astype(np.float32),
            "starts": np.cumsum([0, *map(len, flat)]).astype(np.uint32),
            "numbers": np.array(numbers, np.float32),
            "accuracies": np.array(accuracies, np.float32),  # None, where nothing is asked, is NaN
        }
        texts = {
            "dims": dims,
            "categories": [[name, title(name), row["pairs"]] for name, row in record.items()],
            "ranges": RANGES,
            "bins": BINS_PER_DECADE,
            "normalisations": NORMALISATIONS,
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

    @property
    def alt(self) -> str:  # type: ignore[override]
        """The text of the still picture."""
        return (
            f"Above, eigenvalues of the task vectors of {title(self.category)} at d = {self.dim} "
            "as dots, under the curve of the Marchenko-Pastur law, with one eigenvalue far to the "
            "right, the spike. Below, the signal-to-noise ratio and the share of analogies "
            "completed against d."
        )

    def still(self) -> Figure:
        """Return the spectrum at the present d, and SNR and accuracy against d."""
        of_vectors, of_queries = NORMALISATIONS[self.normalisation]
        spectra, at = self.spectra[of_vectors][self.category], self.dims.index(self.dim)
        fit = self.fits[of_vectors][self.category][at]
        key = ACCURACIES[2 * (1 - of_queries) + (self.protocol == "google")]
        figure, (top, middle, bottom) = figures.panels(3, 1, height=6.2, height_ratios=(2, 1, 1))
        draw_spectrum(top, spectra[at], fit, size=5, limits=RANGES[of_vectors])
        if fit:
            law = (
                f"Marchenko–Pastur, $d_\\mathrm{{eff}}$ = {fit.bulk.dim:.0f} ± {fit.dim_error:.0f}"
            )
            top.set_title(law)
        top.set(xlabel="eigenvalue of $RR^⊤/d$", ylabel="eigenvalues")
        curves = (
            (middle, "SNR", [taskvectors.snr(values) for values in spectra]),
            (bottom, "accuracy in %", 100 * np.array(self.record[self.category][key], float)),
        )
        for ax, label, values in curves:
            ax.plot(self.dims, values, "o-", color=figures.MODES[0], markersize=3)
            ax.axvline(self.dim, color=figures.FAINT, linestyle="--", linewidth=1)
            ax.set(xscale="log", ylabel=label, ylim=(0, None))
            ax.set_xticks([4, 16, 64, 256, 1024, 4096], ["4", "16", "64", "256", "1024", "4096"])
            ax.set_xlim(self.dims[0] / 1.1, self.dims[-1] * 1.1)
            ax.minorticks_off()
        bottom.set(xlabel="dimension d")
        return figure


def _fit(values: Sequence[float], pairs: int) -> taskvectors.BulkFit | None:
    """Fit the bulk; None with fewer dimensions than pairs, or with fewer than three pairs."""
    if len(values) < pairs or pairs < 3:
        return None
    try:
        return taskvectors.fit_bulk(values)
    except ValueError:  # pairs that depend on each other
        return None


def _numbers(share: float, fit: taskvectors.BulkFit | None) -> tuple[float, ...]:
    if fit is None:
        return share, *[np.nan] * 4
    return share, fit.bulk.dim, fit.dim_error, fit.bulk.scale, fit.bulk.support()[1]
