"""The two steps of training as a JAX programmer writes them, for `training.py` to compare with.

The loss of all pairs, or of a minibatch that is drawn already, its gradient by `jax.grad`, all of
it compiled as one program. Products are in full float32 ("highest"), as PyTorch's are; sums over
pairs that meet in a row go in any order, where ours are the same each time.
"""

import os

os.environ.setdefault("XLA_PYTHON_CLIENT_PREALLOCATE", "false")  # torch needs the memory too

import jax
import jax.numpy as jnp
import numpy as np
import torch

jax.config.update("jax_default_matmul_precision", "highest")


def pair_losses(loss, x, positive, negative):
    """Return the loss of each pair; x = w_i . w_j, weights as in `qw2v.training.losses`."""
    if loss == "sgns":
        return 2 * positive * jax.nn.softplus(-x) + 2 * negative * jax.nn.softplus(x)
    return positive * (x**2 / 4 - x) + negative * (x**2 / 4 + x)


def there(x):
    """Return a tensor of PyTorch's as an array of JAX's, where JAX computes."""
    return jnp.asarray(x.cpu().numpy() if isinstance(x, torch.Tensor) else np.asarray(x))


def full_batch(loss, W, positive, negative):
    """Return a function that computes the gradient of the loss over all V x V pairs."""
    W, positive, negative = map(there, (W, positive, negative))

    @jax.jit
    def slope(W, positive, negative):
        return jax.grad(lambda W: pair_losses(loss, W @ W.T, positive, negative).sum())(W)

    return lambda: slope(W, positive, negative).block_until_ready()


def minibatch(loss, W, batch):
    """Return a function that moves W along the gradient of one minibatch."""
    rows, columns, weights, signs = map(
        there, (batch.rows, batch.columns, batch.weights, batch.signs)
    )
    positive, negative = (jnp.where(sign * signs > 0, weights, 0) for sign in (-1, 1))

    @jax.jit
    def step(W, rows, columns, positive, negative):
        def total(W):
            x = (W[rows] * W[columns]).sum(axis=1)
            return pair_losses(loss, x, positive, negative).sum()

        return W - 1e-6 * jax.grad(total)(W)

    W = there(W)
    return lambda: step(W, rows, columns, positive, negative).block_until_ready()


def where():
    """Return what JAX computes on, and its version."""
    return f"jax {jax.__version__}, {jax.devices()[0].device_kind}"
