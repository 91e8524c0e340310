"""Attention step by step: what one sentence's decoder states look at, and every gradient on the way back, proved.

The sections are those of walk.py; the states h_j and s_t are given here, and walk.py shows how a cell makes them.
"""

from functools import partial

from numpylm.affine import affine_backward
from numpylm.attention import attention_backward, attention_forward
from numpylm.loss import cross_entropy_backward, cross_entropy_forward
from numpylm.stepping.lines import Line, lines_of
from numpylm.stepping.replay import Place, derivatives, prove
from numpylm.stepping.walk import Entry, Section, Walk, over_time
from numpylm.translation import EncoderDecoder

FUNCTIONS = "numpylm.translation.EncoderDecoder._output_forward", "numpylm.translation.attention_forward"


def attention_walk(model, source, inputs, targets, steps):
    """The Walk over these target steps of one pair: source (T_x, 1), inputs and targets (T_y, 1)."""
    out = model.forward(source, inputs)
    loss, loss_trace = cross_entropy_forward(out.logits, targets)
    dlogits = cross_entropy_backward(loss_trace)
    ds_tilde, dW_sy, db_y = affine_backward(dlogits, out.trace.s_tilde, model.output_matrix())
    gradients = model.output_backward(ds_tilde, out.trace)
    dparameters = {**gradients.dparameters, "W_sy": dW_sy, "b_y": db_y}
    own = {name: array for name, array in model.parameters().items() if name in dparameters}  # of (17) to (23)
    values = [Entry(name, array) for name, array in own.items()]
    found = [Entry(f"d{name}", dparameters[name], place=Place(name)) for name in own]
    lines = (*lines_of(attention_backward, "dh"), Line("dh + dh_scores, of (20) and of the score together"))
    dh = over_time("dh", gradients.dh, lines, range(len(gradients.dh)), "h")
    to_source = Section("To the source positions: sums over all t", attention_backward, dh)
    back = [backward_step(dlogits, ds_tilde, gradients, t) for t in reversed(steps)]
    return Walk(
        loss, [forward_step(out, loss_trace.y, t) for t in steps], [*back, to_source],
        [Section("Their values", None, values)], [Section("Their gradients", None, found)],
        partial(prove, partial(derivatives, model.astype(complex), FUNCTIONS, (source, inputs), targets)),
    )  # fmt: skip


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
    entries = [Entry(f"d{name}_t", array[t], lines, Place(name, 0, t)) for name, array, lines in values]
    return Section(f"Back through t = {t}", attention_backward, entries)
