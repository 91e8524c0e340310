"""What people write in place of a recurrent cell's equations, in one step or a whole sequence.

Most are our own step with one piece of a line replaced, as in the library of mistakes in backward passes. Others are
the right step with other parameters: no bias, transposed weights, gates in another order, a start state of zero.
"""

import inspect
import itertools
from functools import cache

import numpy as np

from numpylm import gru, lstm, rnn
from numpylm.tutor.mistakes import compiled, replaced_once

MODULES = {"rnn": rnn, "lstm": lstm, "gru": gru}
ROWS = {"rnn": ("W_xh", "W_hh", "b_h"), "lstm": ("W_x", "W_h", "b"), "gru": ("W_x", "W_h", "b")}
GATES = {"rnn": ("a",), "lstm": ("i", "f", "o", "c̃"), "gru": ("r", "z", "n")}
KNOWN_ORDERS = {("i", "f", "c̃", "o"): " (PyTorch's and Keras's)", ("z", "r", "n"): " (Keras's)"}

RESET_BEFORE = (
    "in yours r_t multiplies h_{t-1} before the product with W_hn (Cho et al., 2014); in ours it multiplies "
    "h_{t-1} W_hn + b_hn"
)
STEP_SLIPS = {  # cell -> (equation, quantity, the right piece of our source) -> (wrong piece, what is wrong)
    "rnn": {
        ("(1)", "h_t", "h_t = f(a_t)"): (
            ("h_t = np.maximum(a_t, 0)", "this is ReLU, where tanh belongs"),
            ("h_t = np.tanh(a_t)", "this is tanh, where ReLU belongs"),
            ("h_t = 1 / (1 + np.exp(-a_t))", "this is the sigmoid, where tanh belongs"),
            ("h_t = a_t", "f is left out: h_t is a_t as it is"),
        ),
        ("(1)", "h_t", "xW_t + h_prev @ W_hh"): (
            ("xW_t", "the recurrent term h_{t-1} W_hh is left out"),
            ("xW_t - h_prev @ W_hh", "the sign of h_{t-1} W_hh is wrong"),
        ),
    },
    "lstm": {
        ("(7)", "c_t", "f_t * c_prev + i_t * c_tilde_t"): (
            ("f_t * c_prev + c_tilde_t", "the input gate i_t is left out"),
            ("c_prev + i_t * c_tilde_t", "the forget gate f_t is left out"),
            ("f_t * c_prev - i_t * c_tilde_t", "the sign of i_t ⊙ c̃_t is wrong"),
            ("i_t * c_prev + f_t * c_tilde_t",
             "i_t and f_t are exchanged: the forget gate multiplies c_{t-1}. Or is the order of the gates "
             "wrong where the packed columns are split? It is i, f, o, c̃"),
            ("f_t * c_prev + (1 - f_t) * c_tilde_t", "1 - f_t stands where i_t belongs"),
            ("(1 - f_t) * c_prev + i_t * c_tilde_t", "1 - f_t stands where f_t belongs: f_t = 1 keeps c_{t-1}"),
            ("f_t * h_prev + i_t * c_tilde_t", "the forget gate multiplies c_{t-1}, not h_{t-1}"),
            ("i_t * c_tilde_t", "f_t ⊙ c_{t-1} is left out"),
            ("f_t * c_prev + i_t + c_tilde_t", "it is i_t times c̃_t"),
        ),
        ("(8)", "h_t", "h_t = o_t * tanh_c_t"): (
            ("h_t = o_t * c_t", "the tanh of c_t is left out"),
            ("h_t = tanh_c_t", "the output gate o_t is left out"),
            ("h_t = tanh(o_t * c_t)", "the tanh is of c_t alone: o_t stands outside"),
            ("h_t = o_t * sigmoid(c_t)", "this is σ(c_t), where tanh(c_t) belongs"),
            ("h_t = o_t * tanh(c_prev)", "it is the new c_t, not c_{t-1}"),
            ("h_t = o_t + tanh_c_t", "it is o_t times tanh(c_t)"),
        ),
        ("(6)", "c̃_t", "c_tilde_t = tanh("): (
            ("c_tilde_t = sigmoid(", "it goes through tanh, not through σ"),
        ),
        ("(3)", "i_t", "i_t = sigmoid("): (
            ("i_t = tanh(", "a gate goes through σ, not through tanh"),
        ),
        ("(4)", "f_t", "f_t = sigmoid("): (
            ("f_t = tanh(", "a gate goes through σ, not through tanh"),
        ),
        ("(5)", "o_t", "o_t = sigmoid("): (
            ("o_t = tanh(", "a gate goes through σ, not through tanh"),
        ),
        ("(3) to (6)", "a_t", "xW_t + h_prev @ W_h"): (
            ("xW_t", "the recurrent term h_{t-1} W_h is left out"),
        ),
    },
    "gru": {
        ("(12)", "n_t", "+ r_t * hW_n)"): (
            ("+ (r_t * h_prev) @ gate_columns(W_h, N, 3) + b_hn)", RESET_BEFORE),
            ("+ (r_t * h_prev) @ gate_columns(W_h, N, 3) + r_t * b_hn)", RESET_BEFORE),
            ("+ (r_t * h_prev) @ gate_columns(W_h, N, 3))",
             "r_t multiplies h_{t-1} before the product with W_hn, and b_hn is left out"),
            ("+ r_t * (hW_n - b_hn) + b_hn)", "b_hn stands inside the product with r_t"),
            ("+ r_t * (hW_n - b_hn))", "b_hn is left out"),
            ("+ hW_n)", "the reset gate r_t is left out"),
            ("+ z_t * hW_n)", "z_t stands where r_t belongs"),
        ),
        ("(13)", "h_t", "(1 - z_t) * n_t + z_t * h_prev"): (
            ("z_t * n_t + (1 - z_t) * h_prev",
             "z_t and 1 - z_t are exchanged: in yours z_t = 0 keeps h_{t-1}, in ours z_t = 1 does. Papers "
             "differ in this"),
            ("(1 - r_t) * n_t + r_t * h_prev", "r_t stands where z_t belongs"),
            ("n_t + z_t * h_prev", "the factor 1 - z_t is left out"),
            ("(1 - z_t) * n_t + h_prev", "the factor z_t is left out"),
            ("(1 - z_t) * n_t", "the term z_t ⊙ h_{t-1} is left out"),
            ("z_t * h_prev", "the term (1 - z_t) ⊙ n_t is left out"),
        ),
        ("(12)", "n_t", "n_t = tanh("): (
            ("n_t = sigmoid(", "it goes through tanh, not through σ"),
        ),
    },
}  # fmt: skip


def cell_slips(function, problem):
    """(words, our faulty line, name -> array) for each slip in a cell's step or sequence; none of others."""
    cell, _, kind = function.replace("rnn_relu", "rnn").partition("_")
    if cell not in MODULES or kind not in ("step", "forward"):
        return
    for (equation, quantity, correct), faulty, why in step_slips(cell):
        numbered = f"Equation{'s' if ' ' in equation else ''} {equation}"
        code = f"Our {cell}_step gives the same, to rounding, with `{faulty}` in place of `{correct}`."
        yield (
            f"{numbered}, {quantity}: {why}",
            code,
            run(cell, kind, problem.symbols, changed_step(cell, correct, faulty)),
        )
    for words, changed in other_symbols(cell, kind, problem.symbols):
        yield words, "", run(cell, kind, problem.symbols | changed, getattr(MODULES[cell], f"{cell}_step"))


def step_slips(cell):
    """((equation, quantity, right piece), wrong piece, why) for each slip in a cell's step."""
    return [(place, *slip) for place, slips in STEP_SLIPS[cell].items() for slip in slips]


@cache
def changed_step(cell, correct, faulty):
    """A cell's step with one piece of its source replaced."""
    name = f"{cell}_step"
    source = inspect.getsource(getattr(MODULES[cell], name))
    return compiled(name, replaced_once(source, correct, faulty, name), dict(vars(MODULES[cell])))


def run(cell, kind, symbols, step):
    """What a step, or all steps of a sequence, give on a problem's symbols: name -> array, as the answers are named."""
    W_x, W_h, b = (symbols[name] for name in ROWS[cell])
    recurrent = (W_h, symbols["b_hn"]) if cell == "gru" else (W_h,)
    f = {"nonlinearity": symbols["nonlinearity"]} if cell == "rnn" else {}
    names, suffix = ("h", "c")[: 2 if cell == "lstm" else 1], "prev" if kind == "step" else "0"
    state, records = [symbols[f"{name}_{suffix}"] for name in names], []
    with np.errstate(all="ignore"):
        for x_t in symbols["x_t"][None] if kind == "step" else symbols["x"]:
            records.append(step(x_t @ W_x + b, *state, *recurrent, **f))
            state = [getattr(records[-1], f"{name}_t") for name in names]
    if kind == "step":
        return records[0]._asdict()
    stacked = {name: np.stack([getattr(record, name) for record in records]) for name in records[0]._fields}
    over_time = {name.removesuffix("_t"): array for name, array in stacked.items()}
    return over_time | {f"{name}_T": last for name, last in zip(names, state, strict=True)}


def other_symbols(cell, kind, symbols):
    """(words, what changes among the symbols) for slips that are the right step on other parameters."""
    x_name, h_name, b_name = ROWS[cell]
    W_x, W_h, b, gates = symbols[x_name], symbols[h_name], symbols[b_name], GATES[cell]
    yield f"the bias {b_name} is left out", {b_name: 0 * b}
    yield f"the bias {b_name} is added twice", {b_name: 2 * b}
    blocks = [block.T for block in np.split(W_h, len(gates), axis=1)]
    whose = f"{h_name} is" if len(gates) == 1 else f"each gate's share of {h_name} is"
    yield f"{whose} transposed: rows are examples, so that it is h_{{t-1}} {h_name}", {h_name: np.hstack(blocks)}
    yield f"the input's term x_t {x_name} is left out", {x_name: 0 * W_x}
    for order in itertools.permutations(range(len(gates))):
        names = tuple(gates[k] for k in np.argsort(order))
        if names != gates:
            yield gate_words(names, gates), {name: reordered(symbols[name], order) for name in ROWS[cell]}
    if kind == "forward":
        for name in [name for name in ("h_0", "c_0") if name in symbols]:
            yield f"the start state {name} is not used: the first step starts from zero", {name: 0 * symbols[name]}


def gate_words(names, gates):
    """What to say of gates in another order."""
    known = KNOWN_ORDERS.get(names, "")
    return (
        f"the gates' columns are read in the order {', '.join(names)}{known}; in W_x, W_h and b they stand in the "
        f"order {', '.join(gates)}"
    )


def reordered(packed, order):
    """Packed columns such that gate k of ours is computed from what stands at the place order[k]."""
    blocks = np.split(packed, len(order), axis=-1)
    return np.concatenate([blocks[k] for k in order], axis=-1)
