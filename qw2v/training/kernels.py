"""The inner loops of minibatches, compiled by numba on first use: drawing pairs, moving words."""

from __future__ import annotations

import numpy as np

from qw2v._numba import compiled


@compiled
def alias_rows(starts, weights, share, other):
    """Make Walker's alias table (Vose 1991) of each row starts[r]:starts[r + 1] of weights, n long.

    A draw takes a place k of the row, each as likely, and keeps it with probability share[k], else
    it takes the place other[k] of the same row.
    """
    longest = 0
    for row in range(len(starts) - 1):
        longest = max(longest, starts[row + 1] - starts[row])
    small, large = np.empty(longest, np.int64), np.empty(longest, np.int64)
    scaled = np.empty(longest)
    for row in range(len(starts) - 1):
        low = starts[row]
        size = starts[row + 1] - low
        total = weights[low : low + size].sum()
        n_small = n_large = 0
        for k in range(size):
            scaled[k] = weights[low + k] * size / total
            share[low + k] = 1
            other[low + k] = k
            if scaled[k] < 1:
                small[n_small] = k
                n_small += 1
            else:
                large[n_large] = k
                n_large += 1
        while n_small and n_large:
            n_small -= 1
            k, rich = small[n_small], large[n_large - 1]
            share[low + k] = scaled[k]
            other[low + k] = rich
            scaled[rich] -= 1 - scaled[k]
            if scaled[rich] < 1:
                n_large -= 1
                small[n_small] = rich
                n_small += 1


@compiled
def find_cells(starts, columns, values, wanted_rows, wanted_columns, out):
    """Write the value at each (row, column) of a table in sorted rows, zero where there is none."""
    for k in range(len(out)):
        low, end = starts[wanted_rows[k]], starts[wanted_rows[k] + 1]
        high = end
        while low < high:
            middle = (low + high) // 2
            if columns[middle] < wanted_columns[k]:
                low = middle + 1
            else:
                high = middle
        found = low < end and columns[low] == wanted_columns[k]
        out[k] = values[low] if found else 0


@compiled(fastmath=True)
def push_pairs(rows, columns, weights, signs, saturate, left, right, out_left, out_right):
    """Add what each pair (i, j) of a minibatch moves: -c right[j] to row i, -c left[i] to row j.

    c = weight (f(x) + sign) with x = left[i] . right[j] and f(x) = tanh(x / 2), or x / 2 where it
    does not saturate. One pass: each row is fetched once, for the product and for the sum.
    """
    dim = left.shape[1]
    for k in range(len(rows)):
        a, b = left[rows[k]], right[columns[k]]
        to_left, to_right = out_left[rows[k]], out_right[columns[k]]
        x = a[0] * b[0]
        for m in range(1, dim):
            x += a[m] * b[m]
        slope = np.tanh(x / 2) if saturate else x / 2
        move = -weights[k] * (slope + signs[k])
        for m in range(dim):
            to_left[m] += move * b[m]
            to_right[m] += move * a[m]
