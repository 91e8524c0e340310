"""Attention step by step: what one sentence's decoder states look at, and every gradient on the way back, proved.

The sections are those of walk.py; the states h_j and s_t are given here, and walk.py shows how a cell makes them.
"""

from functools import partial

import numpy as np

from numpylm import attention
from numpylm.affine import affine_backward
from numpylm.attention import attention_backward, attention_forward
from numpylm.loss import cross_entropy_backward, cross_entropy_forward, surprisal
from numpylm.proof.numerical import COMPLEX_STEP
from numpylm.stepping.lines import Line, lines_of
from numpylm.stepping.replay import prove
from numpylm.stepping.walk import Entry, Section, Walk, over_time
from numpylm.translation import EncoderDecoder


def attention_walk(model, source, inputs, targets, steps):
    """The Walk over these target steps of one pair: source (T_x, 1), inputs and targets (T_y, 1)."""
    out = model.forward(source, inputs)
    loss, loss_trace = cross_entropy_forward(out.logits, targets)
    dlogits = cross_entropy_backward(loss_trace)
    ds_tilde, dW_sy, db_y = affine_backward(dlogits, out.trace.s_tilde, model.output_matrix())
    gradients = model.output_backward(ds_tilde, out.trace)
    dparameters = {**gradients.dparameters, "W_sy": dW_sy, "b_y": db_y}

    def prove_entry(entry, shown=()):
        return prove(entry.value, partial(derivatives, model, out.trace.attention, targets, entry.place), shown)

    own = own_parameters(model)
    values = [Entry(name, array) for name, array in own.items()]
    found = [Entry(f"d{name}", dparameters[name], place=(name, None, None)) for name in own]
    lines = (*lines_of(attention_backward, "dh"), Line("dh + dh_scores, of (20) and of the score together"))
    dh = over_time("dh", gradients.dh, lines, range(len(gradients.dh)), "h")
    to_source = Section("To the source positions: sums over all t", attention_backward, dh)
    back = [backward_step(dlogits, ds_tilde, gradients, t) for t in reversed(steps)]
    return Walk(
        loss, [forward_step(out, loss_trace.y, t) for t in steps], [*back, to_source],
        [Section("Their values", None, values)], [Section("Their gradients", None, found)], prove_entry,
    )  # fmt: skip


def own_parameters(model):
    """The parameters of attention and output: those of (17) to (23) that belong to neither cell nor embedding."""
    return {name: array for name, array in model.parameters().items() if "." not in name and not name.startswith("E_")}


def forward_step(out, y, t):
    """Equations (17) to (23) at t."""
    trace = out.trace.attention
    values = [("s", trace.s, ())]
    values += [(name, getattr(trace, name), lines_of(attention_forward, name)) for name in ("e", "alpha", "ctx")]
    values += [
        ("s_tilde", out.trace.s_tilde, lines_of(EncoderDecoder._output_forward, "s_tilde")),
        ("logits", out.logits, (Line("logits = s_tilde W_sy + b_y"),)),
        ("y", y, lines_of(cross_entropy_forward, "y")),
    ]
    entries = [Entry(f"{name}_t", q[t], lines) for name, q, lines in values]
    return Section(f"Target step t = {t}", attention_forward, entries)


def backward_step(dlogits, ds_tilde, gradients, t):
    """The lines of the backward pass at t, in their order."""
    values = [
        ("logits", dlogits, lines_of(cross_entropy_backward, "dlogits")),
        ("s_tilde", ds_tilde, (Line("ds_tilde = dlogits W_syᵀ"),)),
        ("ctx", gradients.dctx, lines_of(EncoderDecoder.output_backward, "dctx")),
        ("alpha", gradients.attention.dalpha, lines_of(attention_backward, "dalpha")),
        ("e", gradients.attention.de, lines_of(attention_backward, "de")),
        ("s", gradients.ds, (Line("ds, of (22) and of the score together"),)),
    ]
    entries = [Entry(f"d{name}_t", array[t], lines, (name, None, t)) for name, array, lines in values]
    return Section(f"Back through t = {t}", attention_backward, entries)


def derivatives(model, trace, targets, place, directions):
    """Σ ∂loss/∂q[k] direction[k] over the entries of the q at place, (name, None, t), for each direction, by the
    complex step: the loss once more from the states on, in mean nats per target, with q moved."""
    moved_name, _, at = place

    def loss(direction):
        def move(name, q):
            q = q.astype(complex)
            if name == moved_name:
                q[... if at is None else at] += 1j * COMPLEX_STEP * direction
            return q

        p = {name: move(name, array) for name, array in own_parameters(model).items()}
        h, s = move("h", trace.h), move("s", trace.s)
        score = model.attention.Parameters(*[p[name] for name in model.attention.Parameters._fields])
        e = move("e", model.attention.scores(score, s, h)[0])  # (17) or (18)
        alpha = move("alpha", attention.masked_softmax(e, None))  # (19)
        ctx = move("ctx", attention.weighted_sum(alpha, h))  # (20)
        s_tilde = move("s_tilde", np.tanh(ctx @ p["W_cs"] + s @ p["W_ss"] + p["b_s"]))  # (22)
        logits = move("logits", s_tilde @ p.get("W_sy", model.output_matrix()) + p["b_y"])
        return surprisal(logits, targets).mean()  # (23)

    return [loss(direction).imag / COMPLEX_STEP for direction in directions]
