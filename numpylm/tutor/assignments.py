"""The functions that a student's file may hold, each with its equation, its documented signature and its return names.

`python -m numpylm check FILE` finds them by name. The signature here is one of many that work: a function is called by
its parameters' names, and any symbol of its problem may be a parameter. What it returns may be
    a tuple in one of the orders of `returns` (after a forward's values, one thing more: its cache),
    a dict or named record, by name, in which every other quantity of the equations is compared as well,
    or a single array where one thing is returned.
"""

from collections.abc import Callable
from typing import NamedTuple

from numpylm.tutor import assignment_problems as plain
from numpylm.tutor.assignment_cells import (
    CELLS,
    backward_problem,
    forward_problem,
    step_backward_problem,
    step_problem,
)
from numpylm.tutor.assignment_cells import truncated_problem as truncated
from numpylm.tutor.results import RTOL


class Assignment(NamedTuple):
    """One function: returns are the orders in which a tuple may hold its values, problem makes what it is given.

    short is one more order, for a step's backward that is written as ours is: given the step's record in place of a
    cache of its own, it leaves the weights' gradients to the sequence's backward.
    """

    name: str
    signature: str
    equation: str
    returns: tuple
    problem: Callable
    rtol: float = RTOL  # of the largest value of the right answer
    short: tuple | None = None

    def for_parameters(self, asked):
        """The assignment for a function of these parameters: with the short order unless it asks for a cache."""
        return self if self.short is None or "cache" in asked else self._replace(returns=(*self.returns, self.short))

    @property
    def parameters(self):
        """The documented parameters' names."""
        return tuple(self.signature.partition("(")[2].partition(")")[0].split(", "))

    @property
    def is_plain(self):
        """Whether it returns one array, and no cache."""
        return len(self.returns[0]) == 1 and not self.signature.endswith("cache")

    @property
    def is_backward(self):
        """Whether it returns gradients."""
        return self.name.endswith("_backward") or self.name == "truncated_bptt"

    @property
    def forward(self):
        """The name of the forward whose cache it may be given, or None."""
        return self.name.removesuffix("_backward") if self.name.endswith("_step_backward") else self._sequence_forward

    @property
    def _sequence_forward(self):
        return self.name.replace("_backward", "_forward") if self.name.endswith("_backward") else None


RNN = "h_t = tanh(x_t W_xh + h_{t-1} W_hh + b_h)  (1)"
RELU_RNN = "h_t = max(x_t W_xh + h_{t-1} W_hh + b_h, 0)  (1)"
LSTM = """\
i_t = σ(x_t W_xi + h_{t-1} W_hi + b_i)     (3)
f_t = σ(x_t W_xf + h_{t-1} W_hf + b_f)     (4)
o_t = σ(x_t W_xo + h_{t-1} W_ho + b_o)     (5)
c̃_t = tanh(x_t W_xc + h_{t-1} W_hc + b_c)  (6)
c_t = f_t ⊙ c_{t-1} + i_t ⊙ c̃_t            (7)
h_t = o_t ⊙ tanh(c_t)                      (8)"""
GRU = """\
r_t = σ(x_t W_xr + h_{t-1} W_hr + b_r)                    (10)
z_t = σ(x_t W_xz + h_{t-1} W_hz + b_z)                    (11)
n_t = tanh(x_t W_xn + b_n + r_t ⊙ (h_{t-1} W_hn + b_hn))  (12)
h_t = (1 - z_t) ⊙ n_t + z_t ⊙ h_{t-1}                     (13)"""
CTC_ALPHA = """\
alpha_ts = y_t[l'_s] Σ_r alpha_{t-1,r}                    (31)
r = s, s - 1, and s - 2 where a blank may be skipped"""
EQUATIONS = {"rnn": RNN, "lstm": LSTM, "gru": GRU}
STATES = {"rnn": ("h",), "lstm": ("h", "c"), "gru": ("h",)}
WEIGHTS = {"rnn": ("W_xh", "W_hh", "b_h"), "lstm": ("W_x", "W_h", "b"), "gru": ("W_x", "W_h", "b", "b_hn")}
PRE_ACTIVATIONS = {"rnn": ("da_t",), "lstm": ("da_t",), "gru": ("da_t", "dhW_t")}
BY_GATE = {
    name: tuple(f"{row}{gate}" for gate in gates for row in ("W_x", "W_h", "b_"))
    for name, gates in (("lstm", "ifoc"), ("gru", "rzn"))
}


def activation_pair(name, output, equation, derivative):
    """An activation function and its derivative."""
    gradient = f"d{output}"
    return [
        Assignment(
            name, f"{name}(a) -> {output}", equation, ((output,),), plain.activation(name, output),
        ),
        Assignment(
            f"{name}_backward", f"{name}_backward({gradient}, {output}) -> da", derivative, (("da",),),
            plain.activation_backward(name, output),
        ),
    ]  # fmt: skip


def cell_quartet(cell, nonlinearity=None):
    """A cell's step and sequence, each with its backward; rnn_relu_step … for an RNN with another f than tanh."""
    name = "rnn" if nonlinearity else cell
    module, kind = CELLS[name]
    equation, states, weights = RELU_RNN if nonlinearity else EQUATIONS[name], STATES[name], WEIGHTS[name]
    previous, now = [f"{q}_prev" for q in states], tuple(f"{q}_t" for q in states)
    start, incoming = [f"{q}_0" for q in states], ["dh_t", "dc_next"][: len(states)]
    step_gradients = returned("dx_t", previous, weights, name)
    gradients = returned("dx", start, weights, name)
    short = (*PRE_ACTIVATIONS[name], *["d" + q for q in previous])
    backward = f"the gradients of\n{equation}"
    return [
        Assignment(
            f"{cell}_step", signature(f"{cell}_step", ["x_t", *previous, *weights], [*now, "cache"]),
            equation, (now,), step_problem(module, kind, nonlinearity),
        ),
        Assignment(
            f"{cell}_step_backward", signature(f"{cell}_step_backward", [*incoming, "cache"], step_gradients[0]),
            backward, step_gradients, step_backward_problem(module, kind, nonlinearity), short=short,
        ),
        Assignment(
            f"{cell}_forward", signature(f"{cell}_forward", ["x", *start, *weights], [*states, "cache"]),
            f"{equation}\nfor t = 1 … T", tuple({states, ("h",)}), forward_problem(module, kind, nonlinearity),
        ),
        Assignment(
            f"{cell}_backward", signature(f"{cell}_backward", ["dh", "cache"], gradients[0]),
            f"{backward}\nsummed over t = T … 1", gradients, backward_problem(module, kind, nonlinearity),
        ),
    ]  # fmt: skip


def returned(first, states, weights, name):
    """The orders of a backward's gradients: weights packed, or gate by gate."""
    head = (first, *states)
    orders = [(*head, *weights)]
    if name == "lstm":
        orders.append((*head, *BY_GATE[name]))
    if name == "gru":
        orders.append((*head, *BY_GATE[name], "b_hn"))
    return tuple(tuple(q if q.startswith("d") else f"d{q}" for q in order) for order in orders)


def signature(name, parameters, values):
    """name(parameters) -> values, as the messages show it."""
    return f"{name}({', '.join(parameters)}) -> {', '.join(values)}"


ASSIGNMENTS = {
    assignment.name: assignment
    for assignment in [
        *activation_pair("sigmoid", "s", "s = 1 / (1 + e^-a)", "da = ds ⊙ s ⊙ (1 - s)"),
        *activation_pair("tanh", "y", "y = tanh(a)", "da = dy ⊙ (1 - y²)"),
        *activation_pair("relu", "y", "y = max(a, 0)", "da = dy where y > 0, else 0"),
        *activation_pair(
            "softmax", "y", "y_v = e^a_v / Σ_u e^a_u   (along the last axis)", "da_v = y_v (dy_v - Σ_u y_u dy_u)"
        ),
        *activation_pair(
            "log_softmax", "z", "z_v = a_v - log Σ_u e^a_u   (along the last axis)", "da_v = dz_v - e^z_v Σ_u dz_u"
        ),
        Assignment(
            "cross_entropy_forward", "cross_entropy_forward(logits, targets) -> loss, cache",
            "loss = -1/(T N) Σ_{t,n} log softmax(logits_t)[n, target_t[n]]", (("loss",),), plain.cross_entropy_problem,
        ),
        Assignment(
            "cross_entropy_backward", "cross_entropy_backward(cache) -> dlogits",
            "dlogits = (softmax(logits) - onehot(targets)) / (T N)", (("dlogits",),),
            plain.cross_entropy_backward_problem,
        ),
        Assignment(
            "embedding_forward", "embedding_forward(tokens, E) -> x",
            "x_t = E[token_t]", (("x",),), plain.embedding_problem,
        ),
        Assignment(
            "embedding_backward", "embedding_backward(dx, tokens, vocab_size) -> dE",
            "dE[v] = the sum of dx wherever token v stands", (("dE",),), plain.embedding_backward_problem,
        ),
        Assignment("affine_forward", "affine_forward(x, W, b) -> y", "y = x W + b", (("y",),), plain.affine_problem),
        Assignment(
            "affine_backward", "affine_backward(dy, x, W) -> dx, dW, db",
            "dx = dy Wᵀ    dW = xᵀ dy    db = dy    summed over all rows", (("dx", "dW", "db"),),
            plain.affine_backward_problem,
        ),
        *cell_quartet("rnn"),
        *cell_quartet("rnn_relu", "relu"),
        *cell_quartet("lstm"),
        *cell_quartet("gru"),
        Assignment(
            "truncated_bptt", "truncated_bptt(parameters, x, state_0, dh, window) -> dW_xh, dW_hh, db_h",
            f"{RNN}\nin windows of `window` steps: the state goes on,\nno gradient goes back over a window's start",
            (("dW_xh", "dW_hh", "db_h"),), truncated,
        ),
        Assignment(
            "clip_by_global_norm", "clip_by_global_norm(gradients, max_norm) -> clipped, norm",
            "g <- g min(1, max_norm / ‖g‖)    ‖g‖² = the sum of all squares of all arrays", (("clipped", "norm"),),
            plain.clip_by_global_norm_problem,
        ),
        Assignment(
            "clip_by_value", "clip_by_value(gradients, limit) -> clipped",
            "g <- min(max(g, -limit), limit)    entry by entry", (("clipped",),), plain.clip_by_value_problem,
        ),
        Assignment(
            "central_difference", "central_difference(f, x) -> gradient",
            "∂f/∂x_k ≈ (f(x_k + ε) - f(x_k - ε)) / 2ε\nε about 1e-5; f() reads the array x", (("gradient",),),
            plain.central_difference_problem, 1e-8,
        ),
        Assignment(
            "complex_step", "complex_step(f, x) -> gradient",
            "∂f/∂x_k = Im f(x_k + iε) / ε\nε about 1e-30; f() reads the complex array x", (("gradient",),),
            plain.complex_step_problem, 1e-12,
        ),
        Assignment("ctc_alpha", "ctc_alpha(y, labels) -> alpha", CTC_ALPHA, (("alpha",),), plain.ctc_problem),
        Assignment(
            "ctc_dlogits", "ctc_dlogits(y, labels) -> dlogits",
            "dlogits_tk = y_t[k] - Σ_{s: l'_s = k} gamma_ts           (36)\nthe gradient of -log p(l)",
            (("dlogits",),), plain.ctc_problem,
        ),
    ]
}  # fmt: skip

FIRST_EQUATION = {  # of each gradient in a step's backward: which line of the forward it is the derivative of
    "rnn": {"da_t": "(1)", "dh_prev": "(1)", "dx_t": "(1)", "dW_xh": "(1)", "dW_hh": "(1)", "db_h": "(1)"},
    "lstm": {
        "do_t": "(8)", "dtanh_c_t": "(8)", "dc_t": "(7), (8)", "df_t": "(7)", "dc_prev": "(7)",
        "di_t": "(7)", "dc_tilde_t": "(7)", "da_c": "(6)", "da_o": "(5)", "da_f": "(4)", "da_i": "(3)",
        "da_t": "(3) to (6)", "dh_prev": "(3) to (6)", "dx_t": "(3) to (6)", "dW_x": "(3) to (6)", "dW_h": "(3) to (6)",
        "db": "(3) to (6)", "i_t": "(3)", "f_t": "(4)", "o_t": "(5)", "c_tilde_t": "(6)", "c_t": "(7)",
        "tanh_c_t": "(8)", "h_t": "(8)",
    },
    "gru": {
        "dz_t": "(13)", "dn_t": "(13)", "dr_t": "(12)", "da_n": "(12)", "da_z": "(11)", "da_r": "(10)",
        "da_t": "(10) to (12)", "dhW_t": "(10) to (12)", "dh_prev": "(10) to (13)", "dx_t": "(10) to (12)",
        "dW_x": "(10) to (12)", "dW_h": "(10) to (12)", "db": "(10) to (12)", "db_hn": "(12)",
        "r_t": "(10)", "z_t": "(11)", "hW_n": "(12)", "n_t": "(12)", "h_t": "(13)",
    },
}  # fmt: skip
