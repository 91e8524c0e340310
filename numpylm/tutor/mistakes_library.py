"""The library of mistakes: what people write in a backward pass in place of the right line, all tables together.

diagnose.py compares a claimed gradient with what each entry returns.

Sources: published teaching code whose gradients fail a check, and questions that people ask about theirs.
"""

from numpylm.tutor.mistakes import reachable
from numpylm.tutor.mistakes_in_layers import ACTIVATIONS, AFFINE, CROSS_ENTROPY, EMBEDDING
from numpylm.tutor.mistakes_in_loops import GRU_LOOP, LSTM_LOOP, RNN_LOOP
from numpylm.tutor.mistakes_in_steps import GRU_STEP, LSTM_STEP, RNN_STEP

MISTAKES = (
    *RNN_STEP, *RNN_LOOP, *LSTM_STEP, *LSTM_LOOP, *GRU_STEP, *GRU_LOOP,
    *AFFINE, *EMBEDDING, *CROSS_ENTROPY, *ACTIVATIONS,
)  # fmt: skip


# Where a function calls tanh_backward once, a mistake in it and one in the call cannot be told apart: these agree.
SAME = tuple(
    (called, inner)
    for called in GRU_STEP
    for inner in ACTIVATIONS
    if (called.quantity, called.faulty, inner.function, inner.faulty)
    in {
        ("da_n", "dn_t", "tanh_backward", "dy"),
        ("da_n", "tanh_backward(dn_t, tanh(step.n_t))", "tanh_backward", "dy * (1 - tanh(y) ** 2)"),
        ("da_n", "sigmoid_backward(dn_t, step.n_t)", "tanh_backward", "dy * y * (1 - y)"),
    }
) + tuple(  # and a dc_next that the step leaves out is one that the loop does not give it
    (inner, loop)
    for inner in LSTM_STEP
    for loop in LSTM_LOOP
    if (inner.quantity, inner.faulty) == ("dc_t", "tanh_backward(dtanh_c_t, step.tanh_c_t)")
    and loop.faulty == "freeze_backward(trace.mask, t, np.zeros_like(dc_next))"
)


def mistakes_in(function):
    """The library's entries that can spoil what a function returns: its own, and those of what it calls.

    A projection calls embedding_backward for tokens alone; where x is an array no mistake in it shows.
    """
    called = [name for name in reachable(function) if name == function or name != "embedding_backward"]
    return [mistake for mistake in MISTAKES if mistake.function in called]
