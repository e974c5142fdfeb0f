"""What a step of training costs, beside plain torch, in one run.

    python benchmarks/training.py                        # V = 5,000, d = 200
    python benchmarks/training.py --vocab-size 10000 --device cuda

Full batch: the velocity of all embeddings, ours beside autograd of the loss over all V x V pairs.
Minibatches: drawing and moving, ours beside autograd with pairs drawn by numpy's searchsorted. Each
pair of rows takes turns, and the median of its repeats is printed; on a shared machine trust the
ratios. The rate is that of the two products with W, 4 V^2 d operations in all (2 V^2 d where the
quartic loss needs but one), over that of a product of the same shape.
"""

import argparse
import os
import statistics
import time

import numpy as np
import torch

import qw2v
from qw2v.training import StatisticsPairs, losses
from qw2v.training.pair_weights import stored_weights
from qw2v.weighting import Setting31, Word2Vec, negative_factors

TRICKS = Word2Vec(subsample=1e-4, negatives=1, power=0.75)
CASES = {"qwem, Setting 3.1": ("qwem", Setting31()), "sgns, word2vec": ("sgns", TRICKS)}


def seconds(functions, device, repeats):
    """Return the median seconds of each function, which take turns after a first call."""

    def timed(function):
        started = time.perf_counter()
        function()
        if device.type == "cuda":
            torch.cuda.synchronize()
        return time.perf_counter() - started

    for function in functions:
        timed(function)
    rounds = [[timed(function) for function in functions] for _ in range(repeats)]
    return [statistics.median(times) for times in zip(*rounds, strict=True)]


def plain_loss(loss, x, positive, negative):
    """Return the loss of pairs as anybody would write it."""
    if loss == "sgns":
        softplus = torch.nn.functional.softplus
        return (2 * positive * softplus(-x) + 2 * negative * softplus(x)).sum()
    return (positive * (x**2 / 4 - x) + negative * (x**2 / 4 + x)).sum()


def full_batch(stats, W, repeats):
    """Print the milliseconds of one exact gradient."""
    size, dim, device = *W.shape, W.device
    out = torch.empty_like(W)
    for name, (loss, weighting) in CASES.items():
        tables = [torch.empty(size, size, device=device) for _ in range(2)]
        for rows, A, B in losses.weights(stats, weighting):
            for table, part in zip(tables, (A, B), strict=True):
                table[rows] = torch.as_tensor(part, dtype=torch.float32).to(device)
        leaf = W.clone().requires_grad_()

        def autograd(leaf=leaf, tables=tables, loss=loss):
            leaf.grad = None
            plain_loss(loss, leaf @ leaf.T, *tables).backward()

        population = losses.make(loss, stats, weighting, torch.float32, device)
        products = 1 if losses.factorises(loss, stats, weighting) else 2
        ours, plain, product = seconds(
            [
                lambda p=population: p.velocity(W, W, out),
                autograd,
                lambda table=tables[0]: torch.mm(table, W, out=out),
            ],
            device,
            repeats,
        )
        rate = 2e-12 * products * size**2 * dim / ours
        share = products * product / ours
        print(
            f"full batch  {name:18} {1e3 * ours:8.1f} ms  autograd {1e3 * plain:8.1f} ms  "
            f"{plain / ours:5.1f}x   {rate:6.2f} TFLOP/s, {share:.0%} of a product's"
        )
        del population


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


def minibatches(stats, W, batch, repeats):
    """Print the milliseconds of one step, and how many pairs a second that makes."""
    device, out = W.device, [torch.empty_like(W)]
    for name, (loss, weighting) in CASES.items():
        ours = StatisticsPairs(batch).sampler(stats, weighting, device=device)
        plain = PlainPairs(stats, weighting, batch)
        leaf, step = W.clone().requires_grad_(), [0]

        def move(ours=ours, loss=loss, step=step):
            step[0] += 1
            ours.draw(step[0]).velocity(loss, [W], out)

        def autograd(plain=plain, leaf=leaf, loss=loss):
            i, j, k, m = plain.draw(device)
            leaf.grad = None
            positive, negative = (leaf[i] * leaf[j]).sum(1), (leaf[k] * leaf[m]).sum(1)
            (plain_loss(loss, positive, 1, 0) + plain_loss(loss, negative, 0, 1)).backward()

        fast, draw, slow, draw_slow = seconds(
            [move, lambda o=ours: o.draw(1), autograd, lambda p=plain: p.draw(device)],
            device,
            repeats,
        )
        print(
            f"minibatch   {name:18} {1e3 * fast:8.1f} ms  autograd {1e3 * slow:8.1f} ms  "
            f"{slow / fast:5.1f}x   {2e-6 * batch / fast:6.2f} Mpairs/s against "
            f"{2e-6 * batch / slow:.2f}; drawing alone {1e3 * draw:.1f} and "
            f"{1e3 * draw_slow:.1f} ms"
        )


def main():
    """Print the tables."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--vocab-size", type=int, default=5_000)
    parser.add_argument("--dim", type=int, default=200)
    parser.add_argument("--batch", type=int, default=50_000)
    parser.add_argument("--repeats", type=int, default=7)
    parser.add_argument("--device", default="cuda" if torch.cuda.is_available() else "cpu")
    options = parser.parse_args()
    device = torch.device(options.device)
    name = torch.cuda.get_device_name(device) if device.type == "cuda" else "CPU"
    load = os.getloadavg()[0] if hasattr(os, "getloadavg") else float("nan")
    print(
        f"V = {options.vocab_size:,}, d = {options.dim}, batch {options.batch:,} + "
        f"{options.batch:,}, float32, {name}, {torch.get_num_threads()} threads, torch "
        f"{torch.__version__}, load {load:.1f}"
    )
    stats = qw2v.load_statistics().restrict(options.vocab_size)
    generator = torch.Generator().manual_seed(0)
    W = 0.3 * torch.randn(options.vocab_size, options.dim, generator=generator).to(device)
    full_batch(stats, W, options.repeats)
    minibatches(stats, W, options.batch, options.repeats)


if __name__ == "__main__":
    main()
