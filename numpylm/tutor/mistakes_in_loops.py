"""What people write in a cell's loop over time, and in the weights' gradients after it, in place of the right line.

The rows are (right piece, wrong piece, what is wrong), as mistakes.py says. h is the state after each step: h_prev of
the step after, or what the last step made.
"""

import re

from numpylm.tutor.mistakes import source_of

LOOP = "for t in reversed(range(len(dh))):"
DH = "dh[t] + dh_next"
CARRIED_DH = "dh_next = gradients.dh_prev + dh_frozen"


def loop_rows(function, num_steps):
    """Every row of one cell's backward, for a sequence of num_steps."""
    cell = function.partition("_")[0]
    rows = [*ORDER, *INCOMING, *stopped_rows(num_steps), *weight_rows(function)]
    return rows + {"rnn": RNN, "lstm": LSTM, "gru": GRU}[cell]


ORDER = [
    ("trace.steps[t]", "trace.steps[t - 1]",
     "gradients: off by one in time: the step's gradients are computed from the record of the step before it"),
    (LOOP, "for t in range(len(dh)):",
     "dh_next: the loop runs forward in time: gradients flow from the last step to the first"),
    (LOOP, "for t in reversed(range(len(dh) - 1)):", "dh_t: the last step is skipped: it contributes nothing"),
    (LOOP, "for t in reversed(range(1, len(dh))):", "dh_t: the first step, t = 0, is skipped: it contributes nothing"),
]  # fmt: skip
INCOMING = [
    (f"freeze_backward(trace.mask, t, {DH})", f"freeze_backward(None, t, {DH})",
     "the mask is left out: a sequence that has ended passes its gradient straight back"),
    (CARRIED_DH, "dh_next = gradients.dh_prev",
     "where a sequence has ended the state is passed on unchanged, and so must its gradient be"),
    (DH, "dh[t]",
     "h_t feeds the output at t and the step t + 1, and the gradient from t + 1 is left out: nothing is carried"),
    (DH, "dh[t] + dstate_T.h", "every step is given the last state's gradient, dstate_T: nothing is carried"),
    (DH, "dh_next", "the gradient from the output at t is left out"),
    (DH, "dh[t - 1] + dh_next",
     "off by one in time: step t's gradient is that of the output at t - 1 (and h[-1] wraps round)"),
    (DH, "dh[-1] + dh_next", "the gradient of the last output, h_T, is added at every t, in place of that of h_t"),
    (DH, "dh[t] + dh_next + (dh[-1] if t < len(dh) - 1 else 0)",
     "the gradient of the last output, h_T, is added at every t, where it belongs to the last step alone"),
    (DH, "dh[t] + dh_next + (dstate_T.h if t < len(dh) - 1 else 0)",
     "the gradient of the last state, h_T, is added at every t, where it belongs to the last step alone"),
    (DH, f"({DH}) * trace.steps[t].h_t * (1 - trace.steps[t].h_t)",
     "it has been multiplied by h_t (1 - h_t): no σ stands there"),
]  # fmt: skip
RNN = [
    ("dh_next = dstate_T.h", "dh_next = np.zeros_like(dstate_T.h)",
     "what reaches the last state from outside, dstate_T, is ignored"),
    (DH, "dh[t] + dh_next / (1 - trace.steps[t].h_t ** 2)",
     "a bracket is lost: dh[t] is multiplied by the derivative 1 - h_t², and the other summand, dh_next, is not"),
    (DH, "dh[t] / (1 - trace.steps[t].h_t ** 2) + dh_next",
     "a bracket is lost: dh_next is multiplied by the derivative 1 - h_t², and the other summand, dh[t], is not"),
]  # fmt: skip
DC_T = "freeze_backward(trace.mask, t, dc_next)"
CARRIED_DC = "dc_next = gradients.dc_prev + dc_frozen"
LSTM = [
    ("dh_next, dc_next = dstate_T", "dh_next, dc_next = (np.zeros_like(q) for q in dstate_T)",
     "dc_next: what reaches the last state from outside, dstate_T, is ignored"),
    ("dh_next, dc_next = dstate_T", "dh_next, dc_next = dstate_T.h, np.zeros_like(dstate_T.c)",
     "dc_next: what reaches the last cell state from outside, dc_T, is ignored"),
    (CARRIED_DH, "dh_next = np.zeros_like(dh[t])", CARRIED_DC, "dc_next = np.zeros_like(dh[t])",
     "dh_next and dc_next: the recurrent gradient is never carried: both restart from zero at each step"),
    (DH, "dh[t]", DC_T, "freeze_backward(trace.mask, t, np.zeros_like(dc_next))",
     "dh_next and dc_next: the recurrent gradient is never carried: both restart from zero at each step, and only what "
     "the first step returns is handed on"),
    (DH, "dh[t] + dstate_T.h", DC_T, "freeze_backward(trace.mask, t, dstate_T.c)",
     "dh_next and dc_next: the recurrent gradient is never carried: both stay what they were, dstate_T"),
    (CARRIED_DC, "dc_next = np.zeros_like(dc_next)", "it is not carried: it restarts from zero at each step"),
    (CARRIED_DC, "dc_next = gradients.dc_t", "dc_t is carried where dc_prev, which has met f_t, belongs"),
    (DC_T, "freeze_backward(trace.mask, t, np.zeros_like(dc_next))",
     "dc_next: each step is given zeros for dc_next: what step t + 1 hands back to c_t is not carried"),
    (CARRIED_DH, "dc_kept = gradients.dh_prev + dh_frozen",
     CARRIED_DC, "dh_next = gradients.dc_prev + dc_frozen\n        dc_next = dc_kept",
     "dh_next and dc_next: they are exchanged between the steps: each goes on in the other's place"),
    (DC_T, "freeze_backward(None, t, dc_next)",
     "dc_t: the mask is left out for c: a sequence that has ended passes dc straight back"),
    ("gradients.dc_prev + dc_frozen", "gradients.dc_prev",
     "where a sequence has ended c is passed on unchanged, and so must its gradient be"),
]  # fmt: skip
GRU = [
    ("dh_next = dstate_T.h", "dh_next = np.zeros_like(dstate_T.h)",
     "what reaches the last state from outside, dstate_T, is ignored"),
    ("flatten_time(dhW)", "flatten_time(da)",
     "h_{t-1} W_hn + b_hn stands inside the product with r_t: its gradient is da_n ⊙ r_t, not da_n"),
    ("gates(dhW, 3)", "gates(da, 3)",
     "db_hn: h_{t-1} W_hn + b_hn stands inside the product with r_t: its gradient is da_n ⊙ r_t, not da_n"),
    ("projection_backward(da,", "projection_backward(dhW,",
     "x_t W_xn + b_n stands outside the product with r_t: its gradient is da_n, not da_n ⊙ r_t"),
]  # fmt: skip


def stopped_rows(num_steps):
    """A loop that stops early, after k steps."""
    for k in range(1, num_steps - 1):
        why = f"the backward stops after {k} steps: the gradients are those of the last {k} steps alone"
        if k == 1:
            why = "only one step was gone through, the last: is `return` inside the loop over t?"
        yield LOOP, f"for t in reversed(range(len(dh) - {k}, len(dh))):", f"gradients: {why}"


def weight_rows(function):
    """The gradients of weights and bias: each is a sum over time and batch of products with da_t, or dhW_t."""
    source = source_of(function)
    line, dW_h, dq = re.search(r"((dW_h\w*) = .*flatten_time\((\w+)\))\n", source).groups()
    dW_x, db = re.search(r"dx, (\w+), (\w+), dE = ", source).groups()
    h_prev, x = "drop(trace.h_prev, trace.recurrent_dropout)", "projection_backward(da, "
    yield h_prev, "[step.h_t for step in trace.steps]", OFF_BY_ONE.format("h_t where h_{t-1} belongs")
    yield h_prev, "[trace.steps[t - 1].h_t for t in range(len(trace.steps))]", WRAPS
    yield f"{x}trace.x", f"{x}np.roll(trace.x, 1, 0)", f"{dW_x}: {OFF_BY_ONE.format('x_{t-1}')}"
    sums = {dW_h: f"{h_prev}[{{0}}].T @ {dq}[{{0}}]", dW_x: "trace.x[{0}].T @ da[{0}]", db: "da[{0}].sum(axis=0)"}
    for name, one_step in sums.items():
        yield line, f"{line}\n    {name} = {one_step.format(0)}", f"{name}: {OVERWRITTEN}"
        yield line, f"{line}\n    {name} = {one_step.format(-1)}", f"{name}: {LAST_ALONE}"
    yield line, f"{line}\n    {db} = flatten_time(da)[-1]", f"{db}: {ONE_ROW.format('last')}"
    yield line, f"{line}\n    {db} = flatten_time(da)[0]", f"{db}: {ONE_ROW.format('first')}"
    if function == "rnn_backward":
        for name, product in RNN_PRODUCTS.items():
            yield line, f"{line}\n    {name} = {product}", f"{name}: {SKIPPED}"


OFF_BY_ONE = "off by one in time: step t's gradient is paired with {}"
WRAPS = "h[-1] wraps round at t = 0: the first step is paired with the last h_t, not with h_0"
OVERWRITTEN = "the sum over time is overwritten at each step: the last one computed, t = 0, is left alone"
LAST_ALONE = "the sum over time is not taken: it is the last time step's gradient alone"
ONE_ROW = "it is the {} row alone: the bias meets every row, and its gradient is the sum over all"
SKIPPED = "dh_t stands where da_t belongs: the derivative of f is left out"
RNN_PRODUCTS = {
    "dW_xh": "flatten_time(trace.x).T @ flatten_time(dh)",
    "dW_hh": "flatten_time(trace.h_prev).T @ flatten_time(dh)",
    "db_h": "flatten_time(dh).sum(axis=0)",
    "dx": "dh @ parameters.W_xh.T",
}
