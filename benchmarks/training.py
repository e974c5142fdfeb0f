"""What a step of training costs, beside plain torch, in one run.

    python benchmarks/training.py                        # V = 5,000, d = 200
    python benchmarks/training.py --vocab-size 10000 --device cuda --jax -o data/gpu.json

Full batch: the velocity of all embeddings, ours beside autograd of the loss over all V x V pairs.
Minibatches: drawing and moving, ours beside autograd with pairs drawn by numpy's searchsorted. Each
row's columns take turns, and the median of their repeats is printed; on a shared machine trust the
ratios. With --jax the same losses stand beside them in JAX, compiled whole; its minibatches are
drawn already, so compare them with moving alone.

How near the machine's limit: of a full batch the two products with W, 4 V^2 d operations in all
(2 V^2 d where the quartic loss needs but one), beside a product of the same shape. A minibatch has
little to compute; there it is the bytes, 6 d numbers a pair, since two rows are read and two more
are read and written, beside a plain copy.
"""

import argparse
import json
import os
import platform
import statistics
import sys
import time
from datetime import date
from pathlib import Path

import numpy as np
import torch

import qw2v
from qw2v.training import StatisticsPairs, losses
from qw2v.training.pair_weights import stored_weights
from qw2v.weighting import Setting31, Word2Vec, negative_factors

TRICKS = Word2Vec(subsample=1e-4, negatives=1, power=0.75)
CASES = {"qwem, Setting 3.1": ("qwem", Setting31()), "sgns, word2vec": ("sgns", TRICKS)}


def milliseconds(functions, device, repeats):
    """Return the median milliseconds of each function by name; they take turns after two calls."""

    def timed(function):
        if device.type == "cuda":
            torch.cuda.synchronize()
        started = time.perf_counter()
        function()
        if device.type == "cuda":
            torch.cuda.synchronize()
        return time.perf_counter() - started

    for _ in range(2):
        for function in functions.values():
            timed(function)
    rounds = [[timed(function) for function in functions.values()] for _ in range(repeats)]
    medians = map(statistics.median, zip(*rounds, strict=True))
    return {name: 1e3 * median for name, median in zip(functions, medians, strict=True)}


def plain_loss(loss, x, positive, negative):
    """Return the loss of pairs as anybody would write it."""
    if loss == "sgns":
        softplus = torch.nn.functional.softplus
        return (2 * positive * softplus(-x) + 2 * negative * softplus(x)).sum()
    return (positive * (x**2 / 4 - x) + negative * (x**2 / 4 + x)).sum()


def full_batch(stats, W, repeats, jax):
    """Return a row for each loss: the milliseconds of one exact gradient."""
    size, dim, device = *W.shape, W.device
    out, rows = torch.empty_like(W), []
    for name, (loss, weighting) in CASES.items():
        tables = [torch.empty(size, size, device=device) for _ in range(2)]
        for part, A, B in losses.weights(stats, weighting):
            for table, block in zip(tables, (A, B), strict=True):
                table[part] = torch.as_tensor(block, dtype=torch.float32).to(device)
        leaf = W.clone().requires_grad_()

        def autograd(leaf=leaf, tables=tables, loss=loss):
            leaf.grad = None
            plain_loss(loss, leaf @ leaf.T, *tables).backward()

        population = losses.make(loss, stats, weighting, torch.float32, device)
        columns = {
            "ours": lambda p=population: p.velocity(W, W, out),
            "autograd": autograd,
            "product": lambda table=tables[0]: torch.mm(table, W, out=out),
        }
        if jax is not None:
            columns["jax"] = jax.full_batch(loss, W, *tables)
        products = 1 if losses.factorises(loss, stats, weighting) else 2
        row = milliseconds(columns, device, repeats)
        row["tflops"] = 2e-9 * products * size**2 * dim / row["ours"]
        row["share"] = products * row["product"] / row["ours"]
        rows.append({"step": "full batch", "case": name, **row})
        del population, columns, tables
    return rows


class PlainPairs:
    """Pairs drawn on the processor by searchsorted, weighted as `StatisticsPairs` does."""

    def __init__(self, stats, weighting, batch):
        counts = stats.pair_counts
        weights, _ = stored_weights(stats, weighting)
        self.rows = np.repeat(np.arange(stats.vocab_size), np.diff(counts.indptr))
        self.columns, self.batch = counts.indices, batch
        self.cells = np.cumsum(weights)
        factors = negative_factors(weighting, stats)
        self.factors = [np.cumsum(factor) for factor in factors]
        self.random = np.random.default_rng(0)

    def draw(self, device):
        """Return rows and columns of positive, then of negative pairs."""

        def places(sums):
            return np.searchsorted(sums, sums[-1] * self.random.random(self.batch))

        cells = places(self.cells)
        drawn = self.rows[cells], self.columns[cells], *map(places, self.factors)
        return [torch.as_tensor(x, dtype=torch.int64).to(device) for x in drawn]


def minibatches(stats, W, batch, repeats, jax):
    """Return a row for each loss: the milliseconds of one step, and of its parts."""
    device, out, rows = W.device, [torch.empty_like(W)], []
    large, spare = (torch.ones(64 * W.numel(), device=device) for _ in range(2))
    for name, (loss, weighting) in CASES.items():
        ours = StatisticsPairs(batch).sampler(stats, weighting, device=device)
        plain = PlainPairs(stats, weighting, batch)
        leaf, step = W.clone().requires_grad_(), [0]
        drawn = ours.draw(0)

        def whole(ours=ours, loss=loss, step=step):
            step[0] += 1
            ours.draw(step[0]).velocity(loss, [W], out)

        def autograd(plain=plain, leaf=leaf, loss=loss):
            i, j, k, m = plain.draw(device)
            leaf.grad = None
            positive, negative = (leaf[i] * leaf[j]).sum(1), (leaf[k] * leaf[m]).sum(1)
            (plain_loss(loss, positive, 1, 0) + plain_loss(loss, negative, 0, 1)).backward()

        columns = {
            "ours": whole,
            "drawing": lambda o=ours: o.draw(1),
            "moving": lambda loss=loss, drawn=drawn: drawn.velocity(loss, [W], out),
            "autograd": autograd,
            "autograd's drawing": lambda p=plain: p.draw(device),
            "copy": lambda: spare.copy_(large),
        }
        if jax is not None:
            columns["jax"] = jax.minibatch(loss, W, drawn)
        row = milliseconds(columns, device, repeats)
        moved, copied = 6 * 2 * batch * W.shape[1], 2 * large.numel()
        row["gigabytes"] = 4e-6 * moved / row["moving"]
        row["share"] = (moved / row["moving"]) / (copied / row["copy"])
        rows.append({"step": "minibatch", "case": name, **row})
    return rows


def main():
    """Print the table, and write it."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--vocab-size", type=int, default=5_000)
    parser.add_argument("--dim", type=int, default=200)
    parser.add_argument("--batch", type=int, default=50_000)
    parser.add_argument("--repeats", type=int, default=7)
    parser.add_argument("--device", default="cuda" if torch.cuda.is_available() else "cpu")
    parser.add_argument("--jax", action="store_true", help="beside JAX, where it is installed")
    parser.add_argument("-o", "--output", type=Path, help="write the rows to this JSON file")
    options = parser.parse_args()
    device = torch.device(options.device)
    jax = None
    if options.jax:
        import jax_steps as jax
    name = torch.cuda.get_device_name(device) if device.type == "cuda" else platform.machine()
    about = {
        "command": "python benchmarks/training.py " + " ".join(sys.argv[1:]),
        "recorded": str(date.today()),
        "machine": f"{name}, {torch.get_num_threads()} threads",
        "versions": f"torch {torch.__version__}" + (f", {jax.where()}" if jax else ""),
        "load": os.getloadavg()[0] if hasattr(os, "getloadavg") else None,
        **{key: getattr(options, key) for key in ("vocab_size", "dim", "batch", "repeats")},
        "dtype": "float32",
    }
    print(*(f"{key} {value}" for key, value in about.items()), sep="\n")
    stats = qw2v.load_statistics().restrict(options.vocab_size)
    generator = torch.Generator().manual_seed(0)
    W = 0.3 * torch.randn(options.vocab_size, options.dim, generator=generator).to(device)
    rows = full_batch(stats, W, options.repeats, jax)
    rows += minibatches(stats, W, options.batch, options.repeats, jax)
    for row in rows:
        cells = (f"{key} {value:.4g}" for key, value in row.items() if not isinstance(value, str))
        print(f"{row['step']:12}{row['case']:20}", *cells, sep="  ")
    if options.output:
        options.output.write_text(json.dumps({**about, "rows": rows}, indent=1) + "\n", "ascii")


if __name__ == "__main__":
    main()
