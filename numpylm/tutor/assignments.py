"""The functions that a student's file may hold, each with its equation, its documented signature and its return names.

`python -m numpylm check FILE` finds them by name. The signature here is one of many that work: a function is called by
its parameters' names, and any symbol of its problem may be a parameter. What it returns may be
    a tuple in one of the orders of `returns` (after a forward's values, one thing more: its cache),
    a dict or named record, by name, in which every other quantity of the equations is compared as well,
    or a single array where one thing is returned.
"""

from typing import NamedTuple

from numpylm.tutor.problems import STATES, problem_of
from numpylm.tutor.results import RTOL


class Assignment(NamedTuple):
    """One function: returns are the orders in which a tuple may hold its values.

    short is one more order, for a step's backward that is written as ours is: given the step's record in place of a
    cache of its own, it leaves the weights' gradients to the sequence's backward.
    """

    name: str
    signature: str
    equation: str
    returns: tuple
    rtol: float = RTOL  # of the largest value of the right answer
    short: tuple | None = None

    def for_parameters(self, asked):
        """The assignment for a function of these parameters: with the short order unless it asks for a cache."""
        return self if self.short is None or "cache" in asked else self._replace(returns=(*self.returns, self.short))

    def problem(self, rng, sizes, asked):
        """A random Problem for it, for a function of these parameters."""
        return problem_of(self.name, rng, sizes, asked)

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
        name, is_backward, _ = self.name.partition("_backward")
        return (name if name.endswith("_step") else f"{name}_forward") if is_backward else None


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
CTC_DLOGITS = """\
dlogits_tk = y_t[k] - Σ_{s: l'_s = k} gamma_ts           (36)
the gradient of -log p(l)"""
ATTENTION = """\
e_tj     = s_t · h_j                   (17)
alpha_tj = exp(e_tj) / Σ_k exp(e_tk)   (19), j and k over real words
ctx_t    = Σ_j alpha_tj h_j            (20)"""
HOP = """\
e_ki    = u_k · m_i                    (43)
p_ki    = exp(e_ki) / Σ_i exp(e_ki)    (44), i over a story's own sentences
r_k     = Σ_i p_ki v_i                 (45)
u_{k+1} = u_k + r_k                    (46)"""
BEAM_SEARCH = "score(Y) = log p(Y) / ((5 + |Y|) / 6)^length_penalty  (24)"
EQUATIONS = {"rnn": RNN, "rnn_relu": RELU_RNN, "lstm": LSTM, "gru": GRU}
WEIGHTS = {"rnn": ("W_xh", "W_hh", "b_h"), "lstm": ("W_x", "W_h", "b"), "gru": ("W_x", "W_h", "b", "b_hn")}
PRE_ACTIVATIONS = {"rnn": ("da_t",), "lstm": ("da_t",), "gru": ("da_t", "dhW_t")}
BY_GATE = {
    name: tuple(f"{row}{gate}" for gate in gates for row in ("W_x", "W_h", "b_"))
    for name, gates in (("lstm", "ifoc"), ("gru", "rzn"))
}


def cell_quartet(cell):
    """A cell's step and sequence, each with its backward; rnn_relu_step … for an RNN with ReLU in place of tanh."""
    name, equation = cell.removesuffix("_relu"), EQUATIONS[cell]
    states, weights = STATES[name], WEIGHTS[name]
    previous, now = [f"{q}_prev" for q in states], tuple(f"{q}_t" for q in states)
    start, incoming = [f"{q}_0" for q in states], ["dh_t", "dc_next"][: len(states)]
    step_gradients = returned("dx_t", previous, weights, name)
    gradients = returned("dx", start, weights, name)
    short = (*PRE_ACTIVATIONS[name], *["d" + q for q in previous])
    backward = f"the gradients of\n{equation}"

    def row(kind, given, values, equation, returns, **more):
        name = f"{cell}_{kind}"
        return Assignment(name, f"{name}({', '.join(given)}) -> {', '.join(values)}", equation, returns, **more)

    return [
        row("step", ["x_t", *previous, *weights], [*now, "cache"], equation, (now,)),
        row("step_backward", [*incoming, "cache"], step_gradients[0], backward, step_gradients, short=short),
        row("forward", ["x", *start, *weights], [*states, "cache"], f"{equation}\nfor t = 1 … T",
            tuple({states, ("h",)})),
        row("backward", ["dh", "cache"], gradients[0], f"{backward}\nsummed over t = T … 1", gradients),
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


NUMERIC = {"central_difference": 1e-8, "complex_step": 1e-12}  # how right a numerical derivative must be
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
    ("ctc_alpha(y, labels) -> alpha", CTC_ALPHA),
    ("ctc_dlogits(y, labels) -> dlogits", CTC_DLOGITS),
    ("attention_step(s_t, h, mask) -> ctx_t, alpha_t, cache", ATTENTION),
    ("attention_step_backward(dctx_t, cache) -> ds_t, dh", f"the gradients of\n{ATTENTION}"),
    ("hop_forward(u, m, v, mask) -> u_next, p, cache", HOP),
    ("hop_backward(du_next, cache) -> du, dm, dv", f"the gradients of\n{HOP}"),
    ("beam_search(log_y, start, end, width, length_penalty) -> tokens, score", BEAM_SEARCH),
)  # fmt: skip


def documented(signature, equation):
    """The Assignment whose one order of values the signature gives."""
    values = tuple(name for name in signature.partition(" -> ")[2].split(", ") if name != "cache")
    name = signature.partition("(")[0]
    return Assignment(name, signature, equation, (values,), NUMERIC.get(name, RTOL))


ASSIGNMENTS = {
    assignment.name: assignment
    for assignment in [
        *[documented(*row) for row in LAYERS],
        *[row for cell in EQUATIONS for row in cell_quartet(cell)],
        *[documented(*row) for row in OTHERS],
    ]
}
