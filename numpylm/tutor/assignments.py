"""The functions that a student's file may hold, each with its equation, its documented signature and its return names.

`python -m numpylm check FILE` finds them by name. The signature here is one of many that work: a function is called by
its parameters' names, and any symbol of its problem may be a parameter. What it returns may be
    a tuple in one of the orders of `returns` (after a forward's values, one thing more: its cache),
    a dict or named record, by name, in which every other quantity of the equations is compared as well,
    or a single array where one thing is returned.
"""

import re
from typing import NamedTuple

from numpylm import attention, gru, lstm, memory_network
from numpylm.tutor.case import CELLS, GATES
from numpylm.tutor.problems import STATES
from numpylm.tutor.results import RTOL


class Assignment(NamedTuple):
    """One function. returns are the orders in which a tuple may hold its values, the documented one first; is_plain:
    whether it returns one array, and no cache; is_backward: whether it returns gradients; forward: the name of the
    function whose cache it may be given, or None; rtol: how right it must be, of the largest value.

    An order that begins with da_t is for a step's backward that is written as ours is: given the step's record in
    place of a cache of its own, it leaves the weights' gradients to the sequence's backward.
    """

    name: str
    signature: str
    equation: str
    parameters: tuple
    returns: tuple
    is_plain: bool
    is_backward: bool
    forward: str | None
    rtol: float


def assignment(row, equation):
    """The Assignment of a signature, in which `|` stands before further orders of its values."""
    signature, *others = row.split(" | ")
    name, parameters, values = re.fullmatch(r"(\w+)\((.*)\) -> (.*)", signature).groups()
    orders = [tuple(value for value in order.split(", ") if value != "cache") for order in (values, *others)]
    is_plain = len(orders[0]) == 1 and not values.endswith("cache")
    forward = name.removesuffix("_backward") if name.endswith("_backward") else None
    forward = f"{forward}_forward" if forward and not forward.endswith("_step") else forward
    rtol = {"central_difference": 1e-8, "complex_step": 1e-12}.get(name, RTOL)
    is_backward = forward is not None or name == "truncated_bptt"
    returns = tuple(dict.fromkeys(orders))
    return Assignment(
        name, signature, equation, tuple(parameters.split(", ")), returns, is_plain, is_backward, forward, rtol
    )


def equations(module, *numbers):
    """The equations of these numbers, as a module's docstring gives them."""
    rows = re.findall(r"(\S+ +=.*?)( {3,}(?:.* )?)\((\d+)\)$", module.__doc__ or "", re.M)
    rows = [row for row in rows if int(row[2]) in numbers]
    nearest = min((len(between) for _, between, _ in rows), default=0) - 2
    return "\n".join(f"{text}{' ' * (len(between) - nearest)}({number})" for text, between, number in rows)


RNN = "h_t = tanh(x_t W_xh + h_{t-1} W_hh + b_h)  (1)"
EQUATIONS = {
    "rnn": RNN, "rnn_relu": "h_t = max(x_t W_xh + h_{t-1} W_hh + b_h, 0)  (1)", "lstm": equations(lstm, *range(3, 9)),
    "gru": equations(gru, *range(10, 14)),
}  # fmt: skip
ATTENTION = f"{equations(attention, 17, 19, 20)}\nj and k over real words"
HOP = f"{equations(memory_network, *range(43, 47))}\ni over a story's own sentences"
LAYERS = (  # signature, equation
    ("sigmoid(a) -> s", "s = 1 / (1 + e^-a)"),
    ("sigmoid_backward(ds, s) -> da", "da = ds ⊙ s ⊙ (1 - s)"),
    ("tanh(a) -> y", "y = tanh(a)"),
    ("tanh_backward(dy, y) -> da", "da = dy ⊙ (1 - y²)"),
    ("relu(a) -> y", "y = max(a, 0)"),
    ("relu_backward(dy, y) -> da", "da = dy where y > 0, else 0"),
    ("softmax(a) -> y", "y_v = e^a_v / Σ_u e^a_u   (along the last axis)"),
    ("softmax_backward(dy, y) -> da", "da_v = y_v (dy_v - Σ_u y_u dy_u)"),
    ("log_softmax(a) -> z", "z_v = a_v - log Σ_u e^a_u   (along the last axis)"),
    ("log_softmax_backward(dz, z) -> da", "da_v = dz_v - e^z_v Σ_u dz_u"),
    ("cross_entropy_forward(logits, targets) -> loss, cache",
     "loss = -1/(T N) Σ_{t,n} log softmax(logits_t)[n, target_t[n]]"),
    ("cross_entropy_backward(cache) -> dlogits", "dlogits = (softmax(logits) - onehot(targets)) / (T N)"),
    ("embedding_forward(tokens, E) -> x", "x_t = E[token_t]"),
    ("embedding_backward(dx, tokens, vocab_size) -> dE", "dE[v] = the sum of dx wherever token v stands"),
    ("affine_forward(x, W, b) -> y", "y = x W + b"),
    ("affine_backward(dy, x, W) -> dx, dW, db", "dx = dy Wᵀ    dW = xᵀ dy    db = dy    summed over all rows"),
)  # fmt: skip
CELL = (  # of each cell, as the LSTM's: others have no c; W stands for all weights of a cell
    ("step(x_t, h_prev, c_prev, W) -> h_t, c_t, cache", "{}"),
    ("step_backward(dh_t, dc_next, cache) -> dx_t, dh_prev, dc_prev, dW | dx_t, dh_prev, dc_prev, by_gate"
     " | da_t, dh_prev, dc_prev", "the gradients of\n{}"),
    ("forward(x, h_0, c_0, W) -> h, c, cache | h", "{}\nfor t = 1 … T"),
    ("backward(dh, cache) -> dx, dh_0, dc_0, dW | dx, dh_0, dc_0, by_gate",
     "the gradients of\n{}\nsummed over t = T … 1"),
)  # fmt: skip
OTHERS = (
    ("truncated_bptt(parameters, x, state_0, dh, window) -> dW_xh, dW_hh, db_h",
     f"{RNN}\nin windows of `window` steps: the state goes on,\nno gradient goes back over a window's start"),
    ("clip_by_global_norm(gradients, max_norm) -> clipped, norm",
     "g <- g min(1, max_norm / ‖g‖)    ‖g‖² = the sum of all squares of all arrays"),
    ("clip_by_value(gradients, limit) -> clipped", "g <- min(max(g, -limit), limit)    entry by entry"),
    ("central_difference(f, x) -> gradient",
     "∂f/∂x_k ≈ (f(x_k + ε) - f(x_k - ε)) / 2ε\nε about 1e-5; f() reads the array x"),
    ("complex_step(f, x) -> gradient",
     "∂f/∂x_k = Im f(x_k + iε) / ε\nε about 1e-30; f() reads the complex array x"),
    ("ctc_alpha(y, labels) -> alpha",
     "alpha_ts = y_t[l'_s] Σ_r alpha_{t-1,r}                    (31)\n"
     "r = s, s - 1, and s - 2 where a blank may be skipped"),
    ("ctc_dlogits(y, labels) -> dlogits",
     "dlogits_tk = y_t[k] - Σ_{s: l'_s = k} gamma_ts           (36)\nthe gradient of -log p(l)"),
    ("attention_step(s_t, h, mask) -> ctx_t, alpha_t, cache", ATTENTION),
    ("attention_step_backward(dctx_t, cache) -> ds_t, dh", f"the gradients of\n{ATTENTION}"),
    ("hop_forward(u, m, v, mask) -> u_next, p, cache", HOP),
    ("hop_backward(du_next, cache) -> du, dm, dv", f"the gradients of\n{HOP}"),
    ("beam_search(log_y, start, end, width, length_penalty) -> tokens, score",
     "score(Y) = log p(Y) / ((5 + |Y|) / 6)^length_penalty  (24)"),
)  # fmt: skip


def cell_rows(name, equation):
    """The rows of a cell; rnn_relu_step … are those of an RNN with ReLU in place of tanh."""
    cell = name.removesuffix("_relu")
    weights = getattr(CELLS[cell], f"{cell.upper()}Parameters")._fields
    gated = [f"{row}{gate}" for gate in GATES[cell] for row in ("W_x", "W_h", "b_")] + [*weights[3:]]
    words = {"W": weights, "dW": [f"d{W}" for W in weights], "by_gate": [f"d{W}" for W in gated or weights]}
    words |= {"da_t": ["da_t", "dhW_t"] if cell == "gru" else ["da_t"]}
    for row, about in CELL:
        row = row if "c" in STATES[cell] else re.sub(r", d?c(_\w+)?\b", "", row)
        row = re.sub(r"\b(W|dW|by_gate|da_t)\b", lambda word: ", ".join(words[word[1]]), row)
        yield f"{name}_{row}", about.format(equation)


CELL_ROWS = [row for item in EQUATIONS.items() for row in cell_rows(*item)]
ASSIGNMENTS = {known.name: known for known in (assignment(*row) for row in (*LAYERS, *CELL_ROWS, *OTHERS))}
