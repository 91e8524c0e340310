"""What people write in a cell's loop over time, in place of the right line: common to all cells, and of each alone.

The rows are (correct, faulty, equation, quantity, why), as mistakes.py says.
"""

from numpylm.tutor.mistakes import step_mistakes


def loop_mistakes(function, equations, dW, h_name, dq, W, b):
    """What can go wrong in the loop over time is the same in all three cells.

    dW is the recurrent weights' gradient, the sum over time of dq's products with the steps' h_name; W and b are the
    input's weights and the bias.
    """
    weights = recurrent_weight_mistakes(function, equations, dW, h_name, dq)
    weights += overwritten_sums(function, equations, W, b)
    return order_mistakes(function, equations) + weights + step_mistakes(
        function,
        ("freeze_backward(trace.mask, t, dh[t] + dh_next)", "freeze_backward(None, t, dh[t] + dh_next)",
         equations, "dh_t", "the mask is left out: a sequence that has ended passes its gradient straight back"),
        (" + dh_frozen", "", equations, "dh_next",
         "where a sequence has ended the state is passed on unchanged, and so must its gradient be"),
        (f"projection_backward(da, trace.x, parameters.{W})",
         f"projection_backward(da, np.roll(trace.x, 1, 0), parameters.{W})",
         equations, f"d{W}", "off by one in time: step t's gradient is paired with x_{t-1}"),
    )  # fmt: skip


def order_mistakes(function, equations):
    """Steps taken in the wrong order, or without what the step after them hands back."""
    return step_mistakes(
        function,
        ("trace.steps[t]", "trace.steps[t - 1]", equations, "gradients",
         "off by one in time: the step's gradients are computed from the record of the step before it"),
        ("dh[t] + dh_next", "dh[t]", equations, "dh_t",
         "h_t feeds the output at t and the step t + 1, and the gradient from t + 1 is left out: nothing is carried"),
        ("dh[t] + dh_next", "dh_next", equations, "dh_t", "the gradient from the output at t is left out"),
        ("dh[t] + dh_next", "dh[t - 1] + dh_next", equations, "dh_t",
         "off by one in time: step t's gradient is that of the output at t - 1 (and h[-1] wraps round)"),
        ("for t in reversed(range(len(dh))):", "for t in range(len(dh)):", equations, "dh_next",
         "the loop runs forward in time: gradients flow from the last step to the first"),
    )  # fmt: skip


def recurrent_weight_mistakes(function, equations, dW, h_name, dq):
    """What can go wrong in the recurrent weights' gradient, a sum over time and batch of h_{t-1}ᵀ dq_t."""
    h_prev = f"[step.{h_name} for step in trace.steps]"
    product = f"flatten_time({h_prev}).T @ flatten_time({dq})"
    return step_mistakes(
        function,
        (product, product.replace(f"step.{h_name}", "step.h_t"), equations, dW,
         "off by one in time: step t's gradient is paired with h_t where h_{t-1} belongs"),
        (h_prev, "[trace.steps[t - 1].h_t for t in range(len(trace.steps))]", equations, dW,
         "h[-1] wraps round at t = 0: the first step is paired with the last h_t, not with h_0"),
        (product, f"trace.steps[0].{h_name}.T @ {dq}[0]", equations, dW,
         f"the sum over time is overwritten at each step: {dW} holds the last one computed, t = 0, alone"),
        (product, f"trace.steps[-1].{h_name}.T @ {dq}[-1]", equations, dW,
         f"{dW} holds the last time step's product alone: it is a sum over time"),
        (product, f"{product} / len(dh)", equations, dW, f"{dW} is a sum over time, not a mean"),
        (product, f"{product} / dh.shape[1]", equations, dW, f"{dW} is a sum over the batch, not a mean"),
    )  # fmt: skip


def overwritten_sums(function, equations, W, b):
    """The gradients of the input's weights and of the bias, of one time step alone: they are sums over all."""
    product = f"projection_backward(da, trace.x, parameters.{W})"
    first, last = "overwritten at each step: it holds the last one computed, t = 0, alone", "not taken: it is the last"
    return step_mistakes(
        function,
        *[
            (product, f"{product}\n    {dq} = {one.format(t=t)}", equations, dq, f"the sum over time is {words}")
            for dq, one in ((f"d{W}", "trace.x[{t}].T @ da[{t}]"), (f"d{b}", "da[{t}].sum(axis=0)"))
            for t, words in ((0, first), (-1, f"{last} time step's alone"))
        ],
    )


RNN_LOOP = loop_mistakes("rnn_backward", "(1)", "dW_hh", "h_prev", "da", "W_xh", "b_h") + step_mistakes(
    "rnn_backward",
    ("dh_next = dstate_T.h", "dh_next = np.zeros_like(dstate_T.h)", "(1)", "dh_next",
     "what reaches the last state from outside, dstate_T, is ignored"),
    ("drop(gradients.dh_prev, trace.recurrent_dropout)", "gradients.dh_prev", "(1)", "dh_next",
     "recurrent dropout multiplied h_{t-1}, and must multiply its gradient too"),
)  # fmt: skip


LSTM_LOOP = loop_mistakes("lstm_backward", "(3) to (6)", "dW_h", "h_prev", "da", "W_x", "b") + step_mistakes(
    "lstm_backward",
    ("dh_next, dc_next = dstate_T", "dh_next, dc_next = (np.zeros_like(q) for q in dstate_T)", "(7)", "dc_next",
     "what reaches the last state from outside, dstate_T, is ignored"),
    ("dh_next, dc_next = dstate_T", "dh_next, dc_next = dstate_T.h, np.zeros_like(dstate_T.c)", "(7)", "dc_next",
     "what reaches the last cell state from outside, dc_T, is ignored"),
    ("dh_next = drop(gradients.dh_prev, trace.recurrent_dropout) + dh_frozen\n        "
     "dc_next = gradients.dc_prev + dc_frozen",
     "dh_next, dc_next = np.zeros_like(dh[t]), np.zeros_like(dh[t])", "(3) to (8)", "dh_next",
     "the recurrent gradient is never carried: dh and dc restart from zero at each step"),
    ("freeze_backward(trace.mask, t, dh[t] + dh_next)\n        "
     "dc_t, dc_frozen = freeze_backward(trace.mask, t, dc_next)",
     "freeze_backward(trace.mask, t, dh[t])\n        "
     "dc_t, dc_frozen = freeze_backward(trace.mask, t, np.zeros_like(dc_next))", "(3) to (8)", "dh_t",
     "the recurrent gradient is never carried: dh and dc restart from zero at each step, and only what the first step "
     "returns is handed on"),
    ("dc_next = gradients.dc_prev + dc_frozen", "pass", "(7)", "dc_next",
     "dc is not carried from step to step: dc_next stays what it was"),
    ("dc_next = gradients.dc_prev + dc_frozen", "dc_next = np.zeros_like(dc_next)", "(7)", "dc_next",
     "dc is not carried: it restarts from zero at each step"),
    ("dc_next = gradients.dc_prev + dc_frozen", "dc_next = gradients.dc_t", "(7)", "dc_next",
     "dc_t is carried where dc_prev, which has met f_t, belongs"),
    ("freeze_backward(trace.mask, t, dc_next)", "freeze_backward(trace.mask, t, np.zeros_like(dc_next))", "(7)",
     "dc_next", "each step is given zeros for dc_next: what step t + 1 hands back to c_t is not carried"),
    ("dh_next = drop(gradients.dh_prev, trace.recurrent_dropout) + dh_frozen\n        "
     "dc_next = gradients.dc_prev + dc_frozen",
     "dc_next = drop(gradients.dh_prev, trace.recurrent_dropout) + dh_frozen\n        "
     "dh_next = gradients.dc_prev + dc_frozen", "(3) to (8)", "dh_next and dc_next",
     "they are exchanged between the steps: each goes on in the other's place"),
    ("freeze_backward(trace.mask, t, dc_next)", "freeze_backward(None, t, dc_next)", "(7)", "dc_t",
     "the mask is left out for c: a sequence that has ended passes dc straight back"),
    ("gradients.dc_prev + dc_frozen", "gradients.dc_prev", "(7)", "dc_next",
     "where a sequence has ended c is passed on unchanged, and so must its gradient be"),
    ("drop(gradients.dh_prev, trace.recurrent_dropout)", "gradients.dh_prev", "(3) to (6)", "dh_next",
     "recurrent dropout multiplied h_{t-1}, and must multiply its gradient too"),
)  # fmt: skip


GRU_LOOP = loop_mistakes("gru_backward", "(10) to (12)", "dW_h", "h_in", "dhW", "W_x", "b") + step_mistakes(
    "gru_backward",
    ("dh_next = dstate_T.h", "dh_next = np.zeros_like(dstate_T.h)", "(13)", "dh_next",
     "what reaches the last state from outside, dstate_T, is ignored"),
    ("flatten_time(dhW)", "flatten_time(da)", "(12)", "dW_h",
     "h_{t-1} W_hn meets the reset gate: W_hn's gradient is formed with da_n ⊙ r_t, not with da_n"),
    ("gate_columns(dhW, N, 3)", "gate_columns(da, N, 3)", "(12)", "db_hn",
     "b_hn stands inside the product with r_t: its gradient holds r_t"),
    ("step.h_in for step", "step.h_prev for step", "(10) to (12)", "dW_h",
     "what enters the gates is h_{t-1} after recurrent dropout"),
)  # fmt: skip
