"""What the exact dynamics cost and how good they are, on the shipped statistics.

    python benchmarks/dynamics.py                    # V = 2,000: truncated against full spectrum
    python benchmarks/dynamics.py --vocab-size 10000 # V = 10,000: 200 times at d = 200

The first prints, for three scales of a random start, the largest error of any singular value of the
truncated path (K = 2d modes and a few Krylov blocks) and the bound it gives itself. The second
prints seconds, wall clock and processor, for a whole trajectory once the eigenpairs are known.
"""

import argparse
import time

import numpy as np

import qw2v


def start(target, sigma, dim):
    """Return W0 (V, d), normal with standard deviation sigma."""
    return sigma / dim**0.5 * np.random.default_rng(0).standard_normal((target.shape[0], dim))


def accuracy(target, dim=50):
    """Print error and bound of truncated paths against the full spectrum."""
    print("sigma   blocks   largest error   largest bound   (at 0.05 .. 8 tau_d)")
    for sigma in (1e-1, 1e-2, 1e-4):
        W0 = start(target, sigma, dim)
        full = qw2v.dynamics.exact(target, W0, progress=False)
        times = full.learning_times[-1] * np.array([0.05, 0.2, 0.5, 0.8, 1, 1.2, 1.5, 2, 4, 8])
        truth = full.singular_values(times)
        for blocks in (1, 2, 4, 8):
            path = qw2v.dynamics.exact(target, W0, 2 * dim, krylov=blocks, progress=False)
            error = np.abs(path.singular_values(times) - truth).max()
            bound = path.truncation_error(times).max()
            print(f"{sigma:<7g} {blocks:<8} {error:<15.1e} {bound:.1e}")


def trajectory(target, dim=200):
    """Print the seconds that 200 times take, and the largest error that the path admits."""
    target.eigenpairs(2 * dim)
    W0 = start(target, 1e-1, dim)
    for blocks in (4, 8):
        clock = [(time.perf_counter(), time.process_time())]
        path = qw2v.dynamics.exact(target, W0, 2 * dim, krylov=blocks, progress=False)
        clock.append((time.perf_counter(), time.process_time()))
        times = np.linspace(0, 2 * path.learning_times.max(), 200)
        s = path.singular_values(times)
        path.loss(times)
        clock.append((time.perf_counter(), time.process_time()))
        made, followed = np.diff(clock, axis=0)
        print(
            f"{blocks} blocks: {path}: made in {made[0]:.1f} s ({made[1]:.1f} s of processor), 200 "
            f"times in {followed[0]:.1f} s ({followed[1]:.1f} s); largest bound "
            f"{path.truncation_error(times[::10]).max():.1e} at s_1 = {s.max():.1f}",
            flush=True,
        )


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--vocab-size", type=int, default=2_000)
    size = parser.parse_args().vocab_size
    M = qw2v.target(qw2v.load_statistics().restrict(size))
    accuracy(M) if size <= 2_000 else trajectory(M)
