r"""Task vectors: the directions b - a behind analogies, their spectrum, its bulk and its spike.

A category of N word pairs has the task vectors r_n = w_b - w_a, the rows of R (N, d), not
normalised. If all pairs stood in the same relation and differed by noise, then R = 1 mu^T + noise,
and the spectrum of the Gram matrix G = R R^T / d would be

- one spike, along the mean task vector mu, and
- a bulk, that of noise in some effective dimension d_eff: the Marchenko-Pastur law.

Figure 4 of the paper shows just that. There d_eff is set by hand; `fit_bulk` finds it by maximum
likelihood, with an error.

By Result 3, time switches on one dimension after another. So the same numbers are followed twice:
`emergence` as d grows, `emergence_in_time` along a path of training.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy.optimize import brentq
from scipy.special import digamma, polygamma
from scipy.stats import rankdata

from qw2v._environment import progress_bar
from qw2v.dynamics import Trajectory
from qw2v.evaluation import _BLOCK, PROTOCOLS, _all_questions, _rows, google_questions
from qw2v.vectors import WordVectors

__all__ = [
    "BulkFit",
    "Completions",
    "MarchenkoPastur",
    "agreement",
    "completions",
    "emergence",
    "emergence_in_time",
    "fit_bulk",
    "gram_spectrum",
    "inverse_participation",
    "localisation",
    "mean_alignment",
    "mean_share",
    "measure",
    "rank_correlation",
    "snr",
    "task_vectors",
]

Array = NDArray[np.float64]

_LARGEST_DIM = 1e9  # stands for no noise at all in the sizes of the bulk's eigenvalues


def task_vectors(vectors: WordVectors, pairs: Iterable[tuple[str, str]]) -> Array:
    """Return w_b - w_a (N, d) for the distinct pairs (a, b) that have both words, in their order.

    A word is looked up as it is spelt, else in lower case, as in `evaluate`.

    >>> vectors = WordVectors(["man", "king"], np.array([[1.0, 0.0], [1.0, 2.0]]))
    >>> task_vectors(vectors, [("Man", "King"), ("man", "ghost")])
    array([[0., 2.]])
    """
    distinct = list(dict.fromkeys(pairs))
    rows = _rows(vectors, [word for pair in distinct for word in pair]).reshape(-1, 2)
    a, b = rows[(rows >= 0).all(axis=1)].T
    return vectors.matrix[b].astype(np.float64) - vectors.matrix[a]


def gram_spectrum(R: ArrayLike) -> Array:
    """Return the eigenvalues of R R^T / d, descending (Figure 4): min(N, d), all others are zero.

    >>> gram_spectrum([[3.0, 0.0, 0.0], [0.0, 0.0, 6.0]])
    array([12.,  3.])
    """
    R = np.asarray(R, dtype=np.float64)
    if R.ndim != 2 or 0 in R.shape:
        raise ValueError(f"R must hold task vectors in its rows, (N, d); received shape {R.shape}")
    return np.linalg.svd(R, compute_uv=False) ** 2 / R.shape[1]


def snr(eigenvalues: ArrayLike) -> float:
    """Return lambda_max(G) rank(G) / Tr G, the signal-to-noise ratio of a spectrum (Figure 4).

    1 where all eigenvalues are equal, rank(G) where there is only one.

    >>> snr([8.0, 1.0, 1.0, 0.0])
    2.4
    """
    values = np.asarray(eigenvalues, dtype=np.float64)
    if values.size == 0 or not values.max() > 0:
        raise ValueError("a signal-to-noise ratio needs a positive eigenvalue; received none")
    rank = np.sum(values > values.max() * len(values) * np.finfo(float).eps)
    return float(values.max() * rank / values.sum())


def mean_share(R: ArrayLike) -> float:
    """Return the mean task vector's share of the spike, N |mean r|^2 / (d lambda_max), in [0, 1].

    1 where the spike's eigenvector is the same for every pair (Appendix A.6).

    >>> round(mean_share([[1.0, 0.0], [1.0, 0.0]]), 6)
    1.0
    """
    R = np.asarray(R, dtype=np.float64)
    mean = R.mean(axis=0)
    return float(len(R) * (mean @ mean) / R.shape[1] / gram_spectrum(R)[0])


def mean_alignment(R: ArrayLike) -> float:
    """Return the squared cosine of the mean task vector and the spike's direction in R^d.

    One where the mean points along the spike, whatever each pair's part in it.

    >>> round(mean_alignment([[1.0, 0.0], [3.0, 0.0]]), 6)
    1.0
    """
    R = np.asarray(R, dtype=np.float64)
    mean = R.mean(axis=0)
    direction = np.linalg.svd(R, full_matrices=False)[2][0]
    return float((mean @ direction) ** 2 / (mean @ mean))


def localisation(R: ArrayLike) -> Array:
    """Return each column's share (d,) of the squared length of the mean task vector; they sum to 1.

    In the closed form the columns are the eigen-features, so that few large shares mean a task that
    lives on few of them (Figure 4, top).

    >>> localisation([[3.0, 0.0], [3.0, 2.0]]).round(2)
    array([0.9, 0.1])
    """
    power = np.asarray(R, dtype=np.float64).mean(axis=0) ** 2
    return power / power.sum()


def inverse_participation(R: ArrayLike) -> Array:
    """Return the inverse participation ratio sum x_k^4 / (sum x_k^2)^2 of each row of R (..., d).

    One where a task vector lives on one column, 1 / d where all entries are of one size, and
    3 / (d + 2) on average for noise, a direction drawn at random.

    >>> inverse_participation([[1.0, 1.0, 0.0], [0.0, 5.0, 0.0]])
    array([0.5, 1. ])
    """
    square = np.asarray(R, dtype=np.float64) ** 2
    return np.sum(square**2, axis=-1) / square.sum(axis=-1) ** 2


# ---------------------------------------------------------------------------------------------
# the answer and its nearest rival


@dataclass(frozen=True, eq=False)
class Completions:
    """The n questions of a category, a : b :: c : answer, and the cosines with b - a + c."""

    answer: Array
    """(n,) cosine of the answer."""
    rival: Array
    """(n,) largest cosine among all words but the four of the question."""
    answerable: NDArray[np.bool_]
    """(n,) False where the answer is one of the three words that are left out."""
    listed: NDArray[np.bool_]
    """(n,) whether Google's list asks it, too."""

    def accuracy(self, protocol: str = "pairs") -> float | None:
        """Return the share of questions whose answer comes before its rival, as in `evaluate`.

        Unanswerable questions count as wrong. None where the protocol asks nothing.
        """
        if protocol not in PROTOCOLS:
            raise ValueError(f"protocol is {protocol!r}; choose one of {PROTOCOLS}.")
        asked = self.listed if protocol == "google" else np.ones_like(self.listed)
        correct = (self.answer > self.rival) & self.answerable & asked
        return float(correct.sum() / asked.sum()) if asked.any() else None


def completions(
    vectors: WordVectors, pairs: Iterable[tuple[str, str]], *, unit: bool = True
) -> Completions:
    """Return how near the answer and its nearest rival come, for all questions of one category.

    Every ordered pair of the word pairs is a question. The query is b - a + c of rows of length
    one, as in the paper; with unit=False of the rows as they are. Cosines in both cases (Figure 8).

    >>> vectors = WordVectors(["a", "b", "c", "d"], np.array([[1.0, 0], [1, 1], [2, 0], [2, 1]]))
    >>> completions(vectors, [("a", "b"), ("c", "d")], unit=False).answer.round(3)
    array([1., 1.])
    """
    distinct = list(dict.fromkeys(pairs))
    questions = _all_questions(distinct)
    rows = _rows(vectors, [word for question in questions for word in question]).reshape(-1, 4)
    known = (rows >= 0).all(axis=1)
    google = set(google_questions(distinct))
    listed = np.array([question in google for question in questions], dtype=bool)[known]
    rows = rows[known]
    answer, rival = np.empty((2, len(rows)))
    directions = vectors.normalized.astype(np.float32, copy=False)
    added = directions if unit else vectors.matrix.astype(np.float32, copy=False)
    step = max(1, _BLOCK // len(directions))
    for start in range(0, len(rows), step):
        asked = rows[start : start + step]
        a, b, c, _ = asked.T
        query = added[b] - added[a] + added[c]
        length = np.linalg.norm(query, axis=1, keepdims=True)
        scores = (query / np.where(length == 0, 1, length)) @ directions.T
        each = np.arange(len(asked))[:, None]
        answer[start : start + step] = scores[each[:, 0], asked[:, 3]]
        scores[each, asked] = -np.inf
        rival[start : start + step] = scores.max(axis=1)
    answerable = (rows[:, :3] != rows[:, 3:]).all(axis=1)
    return Completions(answer, rival, answerable, listed)


# ---------------------------------------------------------------------------------------------
# the law of the bulk


@dataclass(frozen=True)
class MarchenkoPastur:
    """The spectrum of X X^T for X (size, dim) of independent entries with variance scale / dim.

    `scale` is the mean eigenvalue. The law is that of large sizes; dim may be any real number.
    """

    size: float
    dim: float
    scale: float = 1.0

    @property
    def ratio(self) -> float:
        """Number of pairs over that of dimensions: the smaller, the narrower the bulk."""
        return self.size / self.dim

    @property
    def edges(self) -> tuple[float, float]:
        """The ends of the bulk, scale (1 - sqrt(ratio))^2 and scale (1 + sqrt(ratio))^2."""
        root = np.sqrt(self.ratio)
        return float(self.scale * (1 - root) ** 2), float(self.scale * (1 + root) ** 2)

    def density(self, x: ArrayLike) -> Array:
        """Density sqrt((x - low)(high - x)) / (2 pi ratio scale x), of the positive eigenvalues.

        Its integral is one, or 1 / ratio where size > dim: the rest of the eigenvalues are zero.

        >>> MarchenkoPastur(size=100, dim=400).density([0.2, 1.0]).round(3)
        array([0.   , 0.616])
        """
        x = np.asarray(x, dtype=np.float64)
        low, high = self.edges
        inside = (x > low) & (x < high)
        at = np.where(inside, x, 1.0)
        root = np.sqrt(np.where(inside, (at - low) * (high - at), 0.0))
        return root / (2 * np.pi * self.ratio * self.scale * at)

    def cdf(self, x: ArrayLike) -> Array:
        """Share of the positive eigenvalues below x.

        By the trapezoidal rule in an angle, in which the density has no singular edge: to 1e-5.

        >>> MarchenkoPastur(size=100, dim=400).cdf([0.0, 1.0, 3.0]).round(3)
        array([0.   , 0.553, 1.   ])
        """
        low, high = self.edges
        angle = np.linspace(0, np.pi, 4097)
        slope = self.density(low + (high - low) * np.sin(angle / 2) ** 2) * np.sin(angle)
        total = np.concatenate([[0.0], np.cumsum(slope[1:] + slope[:-1])])
        place = np.clip((np.asarray(x, dtype=np.float64) - low) / (high - low), 0, 1)
        return np.interp(2 * np.arcsin(np.sqrt(place)), angle, total / total[-1])


@dataclass(frozen=True)
class BulkFit:
    """A Marchenko-Pastur bulk and a spike, found by `fit_bulk`.

    The spike is R = (d strength)^(1/2) u v^T + noise, with unit vectors u and v: its strength is
    the eigenvalue it would show without noise. Below `threshold` it cannot be told from the bulk.
    """

    bulk: MarchenkoPastur
    """Of all N pairs in d_eff = bulk.dim dimensions."""
    dim_error: float
    """Standard error of d_eff."""
    spike: float
    """The largest eigenvalue."""
    strength: float
    """Of the spike, noise taken off; zero where it does not stand out."""
    strength_error: float
    """Standard error of the strength; infinite where the spike does not stand out."""
    distance: float
    """Kolmogorov-Smirnov distance of the bulk's eigenvalues from the law."""

    @property
    def threshold(self) -> float:
        """The least strength that makes a spike, scale sqrt(ratio) (Baik, Ben Arous, Peche)."""
        return self.bulk.scale * float(np.sqrt(self.bulk.ratio))

    @property
    def expected_share(self) -> float:
        """Of the mean task vector in the spike, theta / (theta + ratio), were noise all there is.

        That is, were R = 1 mu^T + noise: |mean r|^2 holds strength and one noise eigenvalue's mean,
        the spike (1 + theta)(ratio + theta) / theta. Zero where the spike does not stand out.
        """
        return self.strength / (self.strength + self.bulk.scale * self.bulk.ratio)

    @property
    def stands_out(self) -> bool:
        """Whether the largest eigenvalue lies above the edge of the bulk."""
        return self.spike > self.bulk.edges[1]


def fit_bulk(eigenvalues: ArrayLike) -> BulkFit:
    """Fit a Marchenko-Pastur bulk to all eigenvalues of G but the largest, and read off the spike.

    `eigenvalues` (N,), all positive: it takes d >= N. The n = N - 1 eigenvalues l of the bulk are
    those of a Wishart matrix with m degrees of freedom, whose likelihood depends on them through
    mean(l) and mean(ln l) alone. Its maximum is at

        mean(ln l) - ln mean(l) = (1/n) sum_i psi((m - i + 1) / 2) - ln(m / 2),

    for any n, however small; the error is that of the Fisher information. The spike has taken one
    dimension with it, so that d_eff = m + 1. The spike's strength theta, in units of the bulk's
    scale, solves lambda_max = (1 + theta)(ratio + theta) / theta; its error, d_eff^(-1/2) times
    ((4 theta + 2 + 2 ratio) / (1 - ratio / theta^2))^(1/2), is good from twice the threshold on.

    Raises ValueError for fewer than three eigenvalues, and where one is not positive.

    >>> rng = np.random.default_rng(0)
    >>> fit = fit_bulk(gram_spectrum(rng.standard_normal((30, 90)) + 1))
    >>> round(fit.bulk.dim), round(fit.dim_error), round(fit.strength)
    (91, 5, 28)
    """
    values = np.sort(np.asarray(eigenvalues, dtype=np.float64))[::-1]
    if len(values) < 3:
        raise ValueError(f"a bulk needs three eigenvalues or more, received {len(values)}")
    if not values[-1] > values[0] * len(values) * np.finfo(float).eps:
        raise ValueError(
            f"the smallest of the {len(values)} eigenvalues is {values[-1]:.3g}, but all must be "
            "positive: take no fewer dimensions than there are pairs, and no pair twice"
        )
    size, rest = len(values), values[1:]
    index = np.arange(size - 1)
    spread = np.mean(np.log(rest)) - np.log(rest.mean())

    def excess(m: float) -> float:
        return float(np.mean(digamma((m - index) / 2)) - np.log(m / 2) - spread)

    m = _LARGEST_DIM if excess(_LARGEST_DIM) < 0 else brentq(excess, size - 2 + 1e-9, _LARGEST_DIM)
    information = np.sum(polygamma(1, (m - index) / 2)) / 4 - (size - 1) / (2 * m)
    bulk = MarchenkoPastur(size, m + 1, float(rest.mean()) * (m + 1) / m)
    seen = MarchenkoPastur(size - 1, m, float(rest.mean())).cdf(rest[::-1])
    distance = np.abs(seen - (index + 0.5) / (size - 1)).max() + 0.5 / (size - 1)
    strength, strength_error = _strength(float(values[0]), bulk)
    return BulkFit(
        bulk=bulk,
        dim_error=float(information**-0.5),
        spike=float(values[0]),
        strength=strength,
        strength_error=strength_error,
        distance=float(distance),
    )


def _strength(spike: float, bulk: MarchenkoPastur) -> tuple[float, float]:
    """Strength of a spike seen at `spike` above a bulk, and its standard error."""
    ratio, scale = bulk.ratio, bulk.scale
    if spike <= bulk.edges[1]:
        return 0.0, np.inf
    b = spike / scale - 1 - ratio
    theta = (b + np.sqrt(b**2 - 4 * ratio)) / 2
    variance = (4 * theta + 2 + 2 * ratio) / (1 - ratio / theta**2) / bulk.dim
    return float(scale * theta), float(scale * np.sqrt(variance))


# ---------------------------------------------------------------------------------------------
# all numbers at once, as d grows and as time goes on

Categories = Mapping[str, Sequence[tuple[str, str]]]


def measure(vectors: WordVectors, categories: Categories) -> dict[str, dict]:
    """Return the numbers of Figures 4, 6, 8 and A.6 for one set of vectors, by category.

    `pairs` N. From the rows as they are: `spectra`, the min(N, d) eigenvalues of R R^T / d; `snr`;
    `mean_share`, `mean_alignment`; `ipr`, the inverse participation ratio of the task vectors on
    average, and `mean_ipr`, that of their mean. From rows of length one: `accuracy` by the paper's
    protocol and `google_accuracy` (None where that asks nothing); `answer` and `rival`, cosines on
    average over answerable questions. A category without two pairs in the vocabulary is left out.

    >>> vectors = WordVectors(["a", "b", "c", "d"], np.eye(4))
    >>> measure(vectors, {"letters": [("a", "b"), ("c", "d")]})["letters"]["snr"]
    1.0
    """
    found = {}
    for name, pairs in categories.items():
        R = task_vectors(vectors, pairs)
        if len(R) < 2:
            continue
        spectrum, questions = gram_spectrum(R), completions(vectors, pairs)
        fair = questions.answerable
        found[name] = {
            "pairs": len(R),
            "spectra": spectrum.tolist(),
            "snr": snr(spectrum),
            "mean_share": mean_share(R),
            "mean_alignment": mean_alignment(R),
            "ipr": float(inverse_participation(R).mean()),
            "mean_ipr": float(inverse_participation(R.mean(axis=0))),
            "accuracy": questions.accuracy(),
            "google_accuracy": questions.accuracy("google"),
            "answer": float(questions.answer[fair].mean()),
            "rival": float(questions.rival[fair].mean()),
        }
    return found


def emergence(
    vectors: WordVectors,
    categories: Categories,
    dims: Sequence[int],
    *,
    progress: bool = True,
) -> dict[str, dict]:
    """Return what `measure` finds for each d of `dims`, in lists: numbers ready for JSON.

    Uses the first d columns of `vectors`. In addition, for other normalisations than the paper's:
    `raw_accuracy` and `raw_google_accuracy`, where the rows are added as they are; `unit_spectra`
    and `unit_mean_share`, of task vectors from rows of length one.

    >>> vectors = WordVectors(["a", "b", "c", "d"], np.eye(4))
    >>> found = emergence(vectors, {"letters": [("a", "b"), ("c", "d")]}, [4])
    >>> np.round(found["letters"]["spectra"], 6)
    array([[0.5, 0.5]])
    """
    found: dict[str, dict] = {}
    with progress_bar("task vectors", "d", len(dims), progress=progress, leave=False) as bar:
        for dim in dims:
            first = WordVectors(vectors.words, vectors.matrix[:, :dim])
            unit = WordVectors(vectors.words, first.normalized)
            for name, row in measure(first, categories).items():
                raw = completions(first, categories[name], unit=False)
                row["raw_accuracy"] = raw.accuracy()
                row["raw_google_accuracy"] = raw.accuracy("google")
                R = task_vectors(unit, categories[name])
                row["unit_spectra"] = gram_spectrum(R).tolist()
                row["unit_mean_share"] = mean_share(R)
                _append(found.setdefault(name, {}), row)
            bar.update()
    return found


def emergence_in_time(
    path: Trajectory,
    words: Sequence[str],
    categories: Categories,
    times: Sequence[float],
    *,
    progress: bool = True,
) -> dict[str, dict]:
    """Return what `measure` finds at each time along a path of `qw2v.dynamics`, in lists.

    `path` gives the embeddings W(t) from the closed form alone, `words` (V,) names their rows, and
    `times` are in the path's units: accuracy and SNR of a training that never was run.

    >>> from qw2v import dynamics
    >>> path = dynamics.aligned(np.diag([4.0, 3.0, 2.0, 1.0]), 1e-3)
    >>> categories = {"letters": [("a", "b"), ("c", "d")]}
    >>> found = emergence_in_time(path, list("abcd"), categories, [0, 99])
    >>> np.round(found["letters"]["snr"], 2)
    array([1. , 1.4])
    """
    found: dict[str, dict] = {}
    with progress_bar("training", "time", len(times), progress=progress, leave=False) as bar:
        for t in times:
            vectors = WordVectors(list(words), path.embeddings(float(t)))
            for name, row in measure(vectors, categories).items():
                _append(found.setdefault(name, {}), row)
            bar.update()
    return found


def _append(lists: dict, row: Mapping) -> None:
    """Put each number at the end of its list; that of the pairs does not change."""
    for key, value in row.items():
        if key == "pairs":
            lists[key] = value
        else:
            lists.setdefault(key, []).append(value)


# ---------------------------------------------------------------------------------------------
# what the numbers say


def agreement(
    times: ArrayLike, predicted: ArrayLike, marks: ArrayLike, measured: ArrayLike, step: float = 0
) -> dict[str, float]:
    """Return how well curves predicted for P seeds (P, T) foretell those measured for S (S, C).

    `times` (T,) are positive, `marks` (C,) the times of the measurements, between them; predictions
    are interpolated in log t. `spread`, the standard deviation over predicted seeds, on average
    over marks; `gap`, the largest difference of the means; `within`, the share of marks where that
    is at most two standard errors, of spread sqrt(1/P + 1/S); `own_start`, the largest difference
    of a measured seed and the prediction of the same number. `step` is what a single answer counts,
    the least standard deviation there can be.

    >>> found = agreement([1, 2, 4], [[0.0, 0.5, 1.0], [0.0, 0.7, 1.0]], [2], [[0.5], [0.6]])
    >>> round(found["gap"], 3), found["within"], round(found["own_start"], 3)
    (0.05, 1.0, 0.1)
    """
    measured = np.asarray(measured, dtype=np.float64)
    at = np.array([np.interp(np.log(marks), np.log(times), row) for row in np.asarray(predicted)])
    spread = np.maximum(at.std(axis=0, ddof=1), step)
    gap = np.abs(measured.mean(axis=0) - at.mean(axis=0))
    error = spread * np.sqrt(1 / len(at) + 1 / len(measured))
    return {
        "spread": float(spread.mean()),
        "gap": float(gap.max()),
        "within": float(np.mean(gap <= 2 * error)),
        "own_start": float(np.abs(measured - at[: len(measured)]).max()),
    }


def rank_correlation(
    x: ArrayLike, y: ArrayLike, *, seed: int = 0, draws: int = 10_000
) -> dict[str, float]:
    """Return Spearman's `rho` of x (n,) and y (n,), its `p`, and a 95% interval, `low` to `high`.

    p is two-sided, by permutation; the interval is by bootstrap over the points.

    >>> found = rank_correlation([1, 2, 3, 4, 5, 6], [1, 4, 9, 16, 36, 25])
    >>> round(found["rho"], 3), found["p"] < 0.05
    (0.943, True)
    """
    x, y = np.asarray(x, dtype=np.float64), np.asarray(y, dtype=np.float64)
    rng = np.random.default_rng(seed)
    rho = float(_spearman(x, y))
    shuffled = _spearman(rng.permuted(np.tile(x, (draws, 1)), axis=1), y)
    drawn = rng.integers(len(x), size=(draws, len(x)))
    low, high = np.nanquantile(_spearman(x[drawn], y[drawn]), [0.025, 0.975])
    extreme = np.sum(np.abs(shuffled) >= abs(rho) - 1e-9)
    return {
        "rho": rho,
        "p": float((1 + extreme) / (1 + draws)),
        "low": float(low),
        "high": float(high),
    }


def _spearman(x: Array, y: Array) -> Array:
    """Spearman's rank correlation along the last axis; not a number where all are equal."""
    a, b = (rankdata(v, axis=-1) for v in (x, y))
    a, b = (ranks - ranks.mean(axis=-1, keepdims=True) for ranks in (a, b))
    with np.errstate(invalid="ignore"):
        return (a * b).sum(axis=-1) / np.sqrt((a**2).sum(axis=-1) * (b**2).sum(axis=-1))
