"""Random problems for functions without a recurrence: what a student's function is given, what it should return.

Each function here takes (rng, sizes, asked) and returns a Problem: symbols, everything that a parameter of the
student's function may be called, and answers, every quantity that it may return, in the order of its computation.
asked holds the parameters' names: a start state or a gradient that the function does not ask for is zero.
Weights and biases are of order one, so that nothing is linear, and all sizes differ, so that no transpose is hidden.
"""

from collections.abc import Callable
from typing import NamedTuple

import numpy as np

from numpylm import activations, affine, clipping, ctc, embedding, loss


class Sizes(NamedTuple):
    """T time steps, N sequences, D embedding size, H hidden size, V vocabulary size; extreme adds inputs of ±1000, and
    scale is by how much weights, states and pre-activations are larger."""

    T: int
    N: int
    D: int
    H: int
    V: int
    extreme: bool = False
    scale: float = 1.0


class Problem(NamedTuple):
    """symbols: name -> value for the parameters; answers: name -> array, every quantity that can be compared.

    beyond, of a step's backward: what follows from its record of gradients, name -> array: dx_t, dW_x, dW_h, db.
    sizes are those that it was made for.
    """

    symbols: dict
    answers: dict
    beyond: Callable | None = None
    sizes: Sizes | None = None


def activation(name, output):
    """A problem maker for an activation function f: output = f(a), a (N, V)."""

    def problem(rng, sizes, asked):
        a = pre_activations(rng, sizes)
        return Problem({"a": a}, {output: getattr(activations, name)(a)})

    return problem


def activation_backward(name, output):
    """A problem maker for an activation's derivative: da from the gradient and the output, both (N, V)."""

    def problem(rng, sizes, asked):
        a = 1.5 * sizes.scale * rng.standard_normal((sizes.N, sizes.V))
        value, gradient = getattr(activations, name)(a), rng.standard_normal(a.shape)
        da = getattr(activations, f"{name}_backward")(gradient, value)
        return Problem({f"d{output}": gradient, output: value, "a": a}, {"da": da})

    return problem


def pre_activations(rng, sizes):
    """a (N, V) of order one; where sizes.extreme, with an entry of 1000 and one of -1000."""
    a = 1.5 * sizes.scale * rng.standard_normal((sizes.N, sizes.V))
    if sizes.extreme:
        a[0, 1], a[-1, 2] = 1000, -1000
    return a


def cross_entropy_problem(rng, sizes, asked):
    """logits (T, N, V) and targets (T, N): the mean surprise in nats."""
    logits, targets = logits_and_targets(rng, sizes)
    if sizes.extreme:
        logits[0, 0, 0] = 1000
    value, trace = loss.cross_entropy_forward(logits, targets)
    return Problem({"logits": logits, "targets": targets}, {"loss": np.asarray(value), "y": trace.y})


def cross_entropy_backward_problem(rng, sizes, asked):
    """dlogits (T, N, V), from the trace, or from its parts."""
    logits, targets = logits_and_targets(rng, sizes)
    _, trace = loss.cross_entropy_forward(logits, targets)
    symbols = {"trace": trace, "y": trace.y, "targets": targets, "logits": logits}
    return Problem(symbols, {"dlogits": loss.cross_entropy_backward(trace)})


def logits_and_targets(rng, sizes):
    """Logits of order one, and a random target for each time step and sequence."""
    T, N, _, _, V = sizes[:5]
    return 1.5 * sizes.scale * rng.standard_normal((T, N, V)), rng.integers(V, size=(T, N))


def embedding_problem(rng, sizes, asked):
    """tokens (T, N) and the table E (V, D)."""
    tokens, E = tokens_with_repeats(rng, sizes), rng.standard_normal((sizes.V, sizes.D))
    return Problem({"tokens": tokens, "E": E}, {"x": embedding.embedding_forward(tokens, E)})


def embedding_backward_problem(rng, sizes, asked):
    """dE (V, D): some token occurs more than once, some token never."""
    T, N, D, _, V = sizes[:5]
    tokens, dx = tokens_with_repeats(rng, sizes), rng.standard_normal((T, N, D))
    symbols = {"dx": dx, "tokens": tokens, "vocab_size": V, "E": rng.standard_normal((V, D))}
    return Problem(symbols, {"dE": embedding.embedding_backward(dx, tokens, V)})


def tokens_with_repeats(rng, sizes):
    """tokens (T, N) among which one is sure to occur twice, and the last of the vocabulary never."""
    tokens = rng.integers(sizes.V - 1, size=(sizes.T, sizes.N))
    tokens[0, 0] = tokens[-1, -1]
    return tokens


def affine_problem(rng, sizes, asked):
    """y = x W + b for a whole sequence."""
    x, W, b = affine_arguments(rng, sizes)
    return Problem({"x": x, "W": W, "b": b}, {"y": affine.affine_forward(x, W, b)})


def affine_backward_problem(rng, sizes, asked):
    """dx, dW and db from dy (T, N, V)."""
    x, W, b = affine_arguments(rng, sizes)
    dy = rng.standard_normal((*x.shape[:-1], len(b)))
    return Problem({"dy": dy, "x": x, "W": W, "b": b}, affine.affine_backward(dy, x, W)._asdict())


def affine_arguments(rng, sizes):
    """x (T, N, H), W (H, V), b (V,)."""
    T, N, _, H, V = sizes[:5]
    return rng.standard_normal((T, N, H)), rng.standard_normal((H, V)), rng.standard_normal(V)


def clip_by_global_norm_problem(rng, sizes, asked):
    """Gradients to be scaled down; where sizes.extreme, gradients that are to be left as they are."""
    gradients = some_gradients(rng, sizes)
    max_norm = clipping.global_norm(gradients) * (2 if sizes.extreme else 0.3)
    clipped, norm = clipping.clip_by_global_norm(gradients, max_norm)
    answers = {f"clipped.{name}": gradient for name, gradient in clipped.items()} | {"norm": np.asarray(norm)}
    return Problem({"gradients": gradients, "max_norm": max_norm}, answers)


def clip_by_value_problem(rng, sizes, asked):
    """Gradients of which some entries lie beyond the limit."""
    gradients = some_gradients(rng, sizes)
    clipped = clipping.clip_by_value(gradients, 0.75)
    answers = {f"clipped.{name}": gradient for name, gradient in clipped.items()}
    return Problem({"gradients": gradients, "limit": 0.75}, answers)


def some_gradients(rng, sizes):
    """Name -> gradient, for three parameters."""
    _, _, D, H, V = sizes[:5]
    shapes = {"E": (V, D), "W_xh": (D, H), "b_h": (H,)}
    return {name: rng.standard_normal(shape) for name, shape in shapes.items()}


class Waves:
    """f(x) = Σ_k sin(x_k) x_k² + x_1 x_2 + …, which reads x, or what it is given: f() and f(x) both work."""

    def __init__(self, x):
        self.x = x

    def __call__(self, x=None):
        x = (self.x if x is None else np.asarray(x)).ravel()
        return (np.sin(x) * x**2).sum() + (x[:-1] * x[1:]).sum()

    def gradient(self):
        """The derivative, by hand."""
        x = self.x.ravel()
        slope = np.cos(x) * x**2 + 2 * np.sin(x) * x
        slope[:-1] += x[1:]
        slope[1:] += x[:-1]
        return slope.reshape(self.x.shape)


def central_difference_problem(rng, sizes, asked):
    """A function of x (N, D), and its gradient."""
    f = Waves(rng.standard_normal((sizes.N, sizes.D)))
    return Problem({"f": f, "x": f.x}, {"gradient": f.gradient()})


def complex_step_problem(rng, sizes, asked):
    """The same with a complex x, as the complex step needs it."""
    f = Waves(rng.standard_normal((sizes.N, sizes.D)))
    gradient = f.gradient()
    f.x = f.x.astype(complex)
    return Problem({"f": f, "x": f.x}, {"gradient": gradient})


def ctc_problem(rng, sizes, asked):
    """y (T, V + 1) of one utterance, and its labels (4,), of which two are equal and side by side, and two differ."""
    logits = sizes.scale * rng.standard_normal((sizes.T + 5, sizes.V + 1))
    first, second = 1 + rng.choice(sizes.V, 2, replace=False)
    labels = np.array([first, second, second, first])
    _, trace = ctc.ctc_forward(logits[:, None], labels[:, None])
    out = ctc.ctc_backward(trace)
    alpha, beta = np.exp(trace.alpha[:, 0]), np.exp(out.beta[:, 0])
    answers = {"alpha": alpha, "beta": beta, "gamma": out.gamma[:, 0], "dlogits": len(labels) * out.dlogits[:, 0]}
    return Problem({"y": np.exp(trace.log_y[:, 0]), "labels": labels}, answers)
