"""Attention step by step: what one sentence's decoder states look at, and every gradient on the way back, proved.

The sections are those of walk.py; the states h_j and s_t are given here, and walk.py shows how a cell makes them.
"""

from functools import partial

from numpylm.affine import affine_backward
from numpylm.attention import attention_backward, attention_forward
from numpylm.loss import cross_entropy_backward, cross_entropy_forward
from numpylm.stepping.lines import Line, lines_of
from numpylm.stepping.replay import derivatives, prove
from numpylm.stepping.walk import Quantity, Section, Walk
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
    values = [Quantity(name, array[None]) for name, array in own.items()]
    found = [Quantity(f"d{name}", dparameters[name][None], place=(name, None)) for name in own]
    lines = (*lines_of(attention_backward, "dh"), Line("dh + dh_scores, of (20) and of the score together"))
    dh = Quantity("dh[{}]", gradients.dh, lines, ("h", 0))
    forward, backward = forward_quantities(out, loss_trace.y), backward_quantities(dlogits, ds_tilde, gradients)
    return Walk(
        loss, [Section(f"Target step t = {t}", attention_forward, forward, [t]) for t in steps],
        [*[Section(f"Back through t = {t}", attention_backward, backward, [t]) for t in reversed(steps)],
         Section("To the source positions: sums over all t", attention_backward, [dh], range(len(gradients.dh)))],
        [Section("Their values", None, values, [0])], [Section("Their gradients", None, found, [0])],
        partial(prove, partial(derivatives, model.astype(complex), FUNCTIONS, (source, inputs), targets)),
    )  # fmt: skip


def forward_quantities(out, y):
    """Equations (17) to (23), in their order."""
    trace = out.trace.attention
    found = [Quantity("s_t", trace.s)]
    for name in ("e", "alpha", "ctx"):
        found.append(Quantity(f"{name}_t", getattr(trace, name), lines_of(attention_forward, name)))
    return [
        *found,
        Quantity("s_tilde_t", out.trace.s_tilde, lines_of(EncoderDecoder._output_forward, "s_tilde")),
        Quantity("logits_t", out.logits, (Line("logits = s_tilde W_sy + b_y"),)),
        Quantity("y_t", y, lines_of(cross_entropy_forward, "y")),
    ]


def backward_quantities(dlogits, ds_tilde, gradients):
    """The gradients of the quantities, in the order of the backward pass."""
    found = {
        "logits": (dlogits, lines_of(cross_entropy_backward, "dlogits")),
        "s_tilde": (ds_tilde, (Line("ds_tilde = dlogits W_syᵀ"),)),
        "ctx": (gradients.dctx, lines_of(EncoderDecoder.output_backward, "dctx")),
        "alpha": (gradients.attention.dalpha, lines_of(attention_backward, "dalpha")),
        "e": (gradients.attention.de, lines_of(attention_backward, "de")),
        "s": (gradients.ds, (Line("ds, of (22) and of the score together"),)),
    }
    return [Quantity(f"d{name}_t", values, lines, (name, 0)) for name, (values, lines) in found.items()]
