"""The functions that every model is made of: activations, affine map, embedding, input projection, cross-entropy."""

from numpylm import activations
from numpylm.affine import affine_backward, affine_forward
from numpylm.embedding import embedding_backward, embedding_forward
from numpylm.loss import cross_entropy_backward, cross_entropy_forward
from numpylm.projection import Lookup, projection_backward, projection_forward
from numpylm.proof.cases.case import Case, D, H, N, T, V

ACTIVATIONS = ("sigmoid", "tanh", "relu", "softmax", "log_softmax")


def cases(rng):
    """Each function with its derivative; tokens occur more than once, and some targets are not predicted."""
    for name in ACTIVATIONS:
        forward, backward = getattr(activations, name), getattr(activations, f"{name}_backward")
        a, dy = rng.standard_normal((2, N, V))
        yield Case(name, forward, {"a": a}, {"a": backward(dy, forward(a))}, dy)

    x, W, b, dy = (rng.standard_normal(shape) for shape in ((T, N, D), (D, H), H, (T, N, H)))
    dx, dW, db = affine_backward(dy, x, W)
    yield Case("affine", affine_forward, {"x": x, "W": W, "b": b}, {"x": dx, "W": dW, "b": db}, dy)

    tokens, E, dx = rng.integers(0, V, (T, N)), rng.standard_normal((V, D)), rng.standard_normal((T, N, D))
    dE = embedding_backward(dx, tokens, V)
    yield Case("embedding", lambda E: embedding_forward(tokens, E), {"E": E}, {"E": dE}, dx)

    logits, targets = rng.standard_normal((T, N, V)), rng.integers(-1, V, (T, N))
    dlogits = cross_entropy_backward(cross_entropy_forward(logits, targets)[1])
    yield Case(
        "cross_entropy",
        lambda logits: cross_entropy_forward(logits, targets)[0],
        {"logits": logits},
        {"logits": dlogits},
    )
    yield projection_case(rng)


def projection_case(rng):
    """xW by the folded table, from E in place of x."""
    tokens, E, W_x, b = rng.integers(0, V, (T, N)), *[rng.standard_normal(shape) for shape in ((V, D), (D, H), H)]
    dxW = rng.standard_normal((T, N, H))
    gradients = projection_backward(dxW, E[tokens], W_x, Lookup(tokens, E))
    claim = {"E": gradients.dE, "W_x": gradients.dW_x, "b": gradients.db}

    def forward(E, W_x, b):
        return projection_forward(E[tokens], W_x, b, Lookup(tokens, E))

    return Case("folded projection", forward, {"E": E, "W_x": W_x, "b": b}, claim, dxW)
