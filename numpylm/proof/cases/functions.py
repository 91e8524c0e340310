"""The functions that every model is made of: activations, affine map, embedding, input projection, cross-entropy."""

from numpylm import activations
from numpylm.affine import affine_backward, affine_forward
from numpylm.embedding import embedding_backward, embedding_forward
from numpylm.loss import cross_entropy_backward, cross_entropy_forward
from numpylm.projection import Lookup, projection_backward, projection_forward
from numpylm.proof.cases.case import Case, D, H, N, T, V

ACTIVATIONS = ("sigmoid", "tanh", "relu", "softmax", "log_softmax")


def cases(rng):
    """Each function with its derivative."""
    for name in ACTIVATIONS:
        yield activation_case(name, rng)
    yield affine_case(rng)
    yield embedding_case(rng)
    yield cross_entropy_case(rng)
    yield projection_case(rng)


def activation_case(name, rng):
    """An activation function of an array (N, V)."""
    forward, backward = getattr(activations, name), getattr(activations, f"{name}_backward")
    a, dy = rng.standard_normal((2, N, V))
    return Case(name, forward, {"a": a}, {"a": backward(dy, forward(a))}, dy)


def affine_case(rng):
    """y = x W + b."""
    x, W, b, dy = (rng.standard_normal(shape) for shape in ((T, N, D), (D, H), H, (T, N, H)))
    gradients = affine_backward(dy, x, W)
    claim = {"x": gradients.dx, "W": gradients.dW, "b": gradients.db}
    return Case("affine", affine_forward, {"x": x, "W": W, "b": b}, claim, dy)


def embedding_case(rng):
    """x = E[tokens], with tokens that occur more than once."""
    tokens, E, dx = rng.integers(0, V, (T, N)), rng.standard_normal((V, D)), rng.standard_normal((T, N, D))
    claim = {"E": embedding_backward(dx, tokens, V)}
    return Case("embedding", lambda E: embedding_forward(tokens, E), {"E": E}, claim, dx)


def cross_entropy_case(rng):
    """The loss from logits, with some targets that are not predicted."""
    logits, targets = rng.standard_normal((T, N, V)), rng.integers(-1, V, (T, N))
    claim = {"logits": cross_entropy_backward(cross_entropy_forward(logits, targets)[1])}
    return Case("cross_entropy", lambda logits: cross_entropy_forward(logits, targets)[0], {"logits": logits}, claim)


def projection_case(rng):
    """xW by the folded table, from E in place of x."""
    tokens, E, W_x, b = rng.integers(0, V, (T, N)), *[rng.standard_normal(shape) for shape in ((V, D), (D, H), H)]
    dxW = rng.standard_normal((T, N, H))
    gradients = projection_backward(dxW, E[tokens], W_x, Lookup(tokens, E))
    claim = {"E": gradients.dE, "W_x": gradients.dW_x, "b": gradients.db}

    def forward(E, W_x, b):
        return projection_forward(E[tokens], W_x, b, Lookup(tokens, E))

    return Case("folded projection", forward, {"E": E, "W_x": W_x, "b": b}, claim, dxW)
