"""A mistake in a backward pass, and how the function that holds it is made.

A Mistake names the line as it stands in our own source, what is written in its place, the equation, the quantity that
comes out wrong, and why. The faulty function is our own with that one line replaced, compiled when it is asked for: the
library of mistakes (mistakes_library.py) cannot drift from the code.
"""

import inspect
from functools import cache
from typing import NamedTuple

from numpylm import activations, affine, embedding, gru, loss, lstm, projection, rnn

MODULES = {
    "rnn_step_backward": rnn,
    "rnn_backward": rnn,
    "lstm_step_backward": lstm,
    "lstm_backward": lstm,
    "gru_step_backward": gru,
    "gru_backward": gru,
    "projection_backward": projection,
    "affine_backward": affine,
    "embedding_backward": embedding,
    "cross_entropy_backward": loss,
    "sigmoid_backward": activations,
    "tanh_backward": activations,
    "relu_backward": activations,
    "softmax_backward": activations,
    "log_softmax_backward": activations,
}
SINGLE = {"embedding_backward": "dE", "cross_entropy_backward": "dlogits"}


class Mistake(NamedTuple):
    """One wrong line: in function, faulty stands where correct belongs; quantity, of equation, comes out wrong."""

    function: str
    correct: str
    faulty: str
    equation: str
    quantity: str
    why: str


def step_mistakes(function, *rows):
    """Entries of one function from (correct, faulty, equation, quantity, why)."""
    return tuple(Mistake(function, *row) for row in rows)


@cache
def source_of(function):
    """The source of one of our backward functions, by name."""
    return inspect.getsource(getattr(MODULES[function], function))


@cache
def callees(function):
    """The names of our backward functions that one of them calls itself."""
    called = getattr(MODULES[function], function).__code__.co_names
    return tuple(name for name in MODULES if name in called)


@cache
def reachable(function):
    """The names of our backward functions that run when one of them does, itself first."""
    names = [function]
    for name in callees(function):
        names += [other for other in reachable(name) if other not in names]
    return tuple(names)


def rebuilt(function, sources, extra=None):
    """function compiled from sources[function], or from its own; so are the functions it calls.

    extra holds more global names for the changed source to use.
    """
    namespace = {**vars(MODULES[function]), **(extra or {})}
    namespace.update(
        {name: rebuilt(name, sources, extra) for name in callees(function) if set(reachable(name)) & sources.keys()}
    )
    return compiled(function, sources.get(function, source_of(function)), namespace)


def compiled(function, source, namespace):
    """The function of this name that a source defines, with these global names."""
    exec(compile(source, f"<{function}>", "exec"), namespace)
    return namespace[function]


def replaced_once(source, correct, faulty, function):
    """The source of a function with faulty in place of correct, which must occur exactly once: else a ValueError."""
    if source.count(correct) != 1:
        raise ValueError(f"{correct!r} must occur once in {function}; it occurs {source.count(correct)} times")
    return source.replace(correct, faulty)


@cache
def faulty_function(mistake, function=None):
    """The function with the mistake in it: the mistake's own, or another of ours that calls it.

    Raises ValueError where the correct line does not occur exactly once in the mistake's function.
    """
    changed = replaced_once(source_of(mistake.function), mistake.correct, mistake.faulty, mistake.function)
    return rebuilt(function or mistake.function, {mistake.function: changed})


def named_gradients(result, function=None):
    """A backward function's result as name -> array: a record's fields; dW_x … dx dh_0 dc_0 for a sequence; for a
    function that returns one array, dE of the embedding, dlogits of the cross-entropy, and otherwise da."""
    if hasattr(result, "dparameters"):
        parameters = {f"d{name}": array for name, array in result.dparameters._asdict().items()}
        start = {f"d{name}_0": array for name, array in result.dstate_0._asdict().items()}
        return {**parameters, "dx": result.dx, **start}
    if hasattr(result, "_asdict"):
        return result._asdict()
    return dict(result) if isinstance(result, dict) else {SINGLE.get(function, "da"): result}
