"""Attention step by step: what one sentence's decoder states look at, and every gradient on the way back, proved.

The sections are those of walk.py; the states h_j and s_t are given here, and walk.py shows how a cell makes them.
"""

import numpy as np

from numpylm import attention, translation
from numpylm.affine import affine_backward
from numpylm.loss import cross_entropy_backward, cross_entropy_forward, surprisal
from numpylm.proof.numerical import COMPLEX_STEP
from numpylm.stepping.lines import Line, lines_of
from numpylm.stepping.replay import prove
from numpylm.stepping.walk import Entry, Section, Walk, over_time


def attention_walk(model, source, inputs, targets, steps):
    """The Walk over these target steps of one pair: source (T_x, 1), inputs and targets (T_y, 1)."""
    out = model.forward(source, inputs)
    loss, loss_trace = cross_entropy_forward(out.logits, targets)
    dlogits = cross_entropy_backward(loss_trace)
    ds_tilde, dW_sy, db_y = affine_backward(dlogits, out.trace.s_tilde, model.output_matrix())
    gradients = model.output_backward(ds_tilde, out.trace)

    def prove_entry(entry, shown=()):
        def along(directions):
            return [derivative(model, out.trace.attention, targets, entry.place, each) for each in directions]

        return prove(entry.value, along, shown)

    dparameters = {**gradients.dparameters, "W_sy": dW_sy, "b_y": db_y}
    values = [Entry(name, array) for name, array in own_parameters(model).items()]
    found = [Entry(f"d{name}", dparameters[name], place=(name, None, None)) for name in own_parameters(model)]
    back = [backward_step(dlogits, ds_tilde, gradients, t) for t in reversed(steps)]
    return Walk(
        loss, [forward_step(out, loss_trace.y, t) for t in steps], [*back, source_section(gradients.dh)],
        [Section("Their values", None, values)], [Section("Their gradients", None, found)], prove_entry,
    )  # fmt: skip


def own_parameters(model):
    """The parameters of attention and output: those of (17) to (23) that belong to neither cell nor embedding."""
    return {name: array for name, array in model.parameters().items() if "." not in name and not name.startswith("E_")}


def forward_step(out, y, t):
    """Equations (17) to (23) at t."""
    trace, forward = out.trace.attention, attention.attention_forward
    entries = [Entry("s_t", trace.s[t])]
    entries += [Entry(f"{name}_t", getattr(trace, name)[t], lines_of(forward, name)) for name in ("e", "alpha", "ctx")]
    for name, q, lines in (
        ("s_tilde", out.trace.s_tilde, lines_of(translation.EncoderDecoder._output_forward, "s_tilde")),
        ("logits", out.logits, (Line("logits = s_tilde W_sy + b_y"),)),
        ("y", y, lines_of(cross_entropy_forward, "y")),
    ):
        entries.append(Entry(f"{name}_t", q[t], lines))
    return Section(f"Target step t = {t}", forward, entries)


def backward_step(dlogits, ds_tilde, gradients, t):
    """The lines of the backward pass at t, in their order."""
    backward, output = attention.attention_backward, translation.EncoderDecoder.output_backward
    values = [
        ("logits", dlogits, lines_of(cross_entropy_backward, "dlogits")),
        ("s_tilde", ds_tilde, (Line("ds_tilde = dlogits W_syᵀ"),)),
        ("ctx", gradients.dctx, lines_of(output, "dctx")),
        ("alpha", gradients.attention.dalpha, lines_of(backward, "dalpha")),
        ("e", gradients.attention.de, lines_of(backward, "de")),
        ("s", gradients.ds, (Line("ds, of (22) and of the score together"),)),
    ]
    entries = [Entry(f"d{name}_t", array[t], lines, (name, None, t)) for name, array, lines in values]
    return Section(f"Back through t = {t}", backward, entries)


def source_section(dh):
    """What attention sends back to each source position."""
    backward = attention.attention_backward
    lines = (*lines_of(backward, "dh"), Line("dh + dh_scores, of (20) and of the score together"))
    return Section(
        "To the source positions: sums over all t", backward, over_time("dh", dh, lines, range(len(dh)), "h")
    )


def derivative(model, trace, targets, place, direction):
    """Σ ∂loss/∂q[k] direction[k] over the entries of the q at place, (name, None, t), by the complex step: the loss
    once more from the states on, in mean nats per target, with q moved."""
    moved_name, _, at = place

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
    return surprisal(logits, targets).mean().imag / COMPLEX_STEP  # (23)
