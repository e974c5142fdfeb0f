r"""The closed form in time: gradient flow of the embeddings, aligned (Lemma 3.1) or from any start.

The flow is dW/dt = (M* - W W^T) W / 2, with time in the units of the eigenvalues of M*
(time = learning rate x step). W is (V, d), its singular values are s_k, and M* = V Lambda V^T.

Lemma 3.1: where W(0) is aligned with the top eigenvectors, each mode is a sigmoid of its own,

    1 / s_k(t)^2 = e^(-lambda_k t) / s_k(0)^2 + (1 - e^(-lambda_k t)) / lambda_k .

From any start, X = W W^T obeys a matrix Riccati equation, whose solution is

    X(t) = e^(M* t/2) W0 [I + W0^T Phi(t) W0]^-1 W0^T e^(M* t/2),   Phi(t) = (e^(M* t) - I) / M* .

Its singular values come out to all their digits, for whatever scales and times. What leaves the
flow has rooms of its own: steps of finite size (`discrete`), minibatches (`minibatch`), weights of
rank one (`rankone`), context vectors (`untied`), softmax losses (`contrastive`).
"""

from qw2v.dynamics import contrastive, discrete, minibatch, rankone, untied
from qw2v.dynamics._aligned import aligned, vanishing
from qw2v.dynamics._exact import ExactTrajectory, exact
from qw2v.dynamics._flow import gradient_flow, integrate
from qw2v.dynamics._lemma import learning_times, sigmoid, silent_start
from qw2v.dynamics._times import half_times
from qw2v.dynamics._trajectory import Trajectory

__all__ = [
    "ExactTrajectory",
    "Trajectory",
    "aligned",
    "contrastive",
    "discrete",
    "exact",
    "gradient_flow",
    "half_times",
    "integrate",
    "learning_times",
    "minibatch",
    "rankone",
    "sigmoid",
    "silent_start",
    "untied",
    "vanishing",
]
