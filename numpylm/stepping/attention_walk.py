"""Attention step by step: what one sentence's decoder states look at, and every gradient on the way back, proved.

The sections are those of walk.py; the states h_j and s_t are given here, and walk.py shows how a cell makes them.
`replay` computes the loss from the states by equations (17) to (23), so that one quantity on its way can be moved.
"""

from functools import partial

import numpy as np

from numpylm import attention, translation
from numpylm.affine import affine_backward
from numpylm.loss import cross_entropy_backward, cross_entropy_forward, surprisal
from numpylm.proof.numerical import COMPLEX_STEP
from numpylm.stepping.replay import prove
from numpylm.stepping.walk import Entry, Section, Walk, lines_of


def attention_walk(model, source, inputs, targets, steps):
    """The Walk over these target steps of one pair: source (T_x, 1), inputs and targets (T_y, 1)."""
    out = model.forward(source, inputs)
    loss, loss_trace = cross_entropy_forward(out.logits, targets)
    dlogits = cross_entropy_backward(loss_trace)
    ds_tilde, dW_sy, db_y = affine_backward(dlogits, out.trace.s_tilde, model.output_matrix())
    gradients = model.output_backward(ds_tilde, out.trace)

    def prove_entry(entry, shown=()):
        return prove(entry.value, partial(derivative, model, out.trace, targets, entry.place), shown)

    values = [Entry(name, array) for name, array in own_parameters(model).items()]
    dparameters = {**gradients.dparameters, "W_sy": dW_sy, "b_y": db_y}
    found = [Entry(f"d{name}", dparameters[name], place=(name, None, None)) for name in own_parameters(model)]
    return Walk(
        loss, [forward_step(out, loss_trace.y, t) for t in steps],
        [*(backward_step(dlogits, ds_tilde, gradients, t) for t in reversed(steps)), source_section(gradients.dh)],
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
    lines = lines_of(translation.EncoderDecoder._output_forward, "s_tilde")
    entries.append(Entry("s_tilde_t", out.trace.s_tilde[t], lines))
    entries.append(Entry("logits_t", out.logits[t], ("logits = s_tilde W_sy + b_y",)))
    entries.append(Entry("y_t", y[t], lines_of(cross_entropy_forward, "y")))
    return Section(f"Target step t = {t}", forward, entries)


def backward_step(dlogits, ds_tilde, gradients, t):
    """The lines of the backward pass at t, in their order."""
    backward, output = attention.attention_backward, translation.EncoderDecoder.output_backward
    of_attention = gradients.attention
    values = [
        ("logits", dlogits, lines_of(cross_entropy_backward, "dlogits")),
        ("s_tilde", ds_tilde, ("ds_tilde = dlogits W_syᵀ",)),
        ("ctx", gradients.dctx, lines_of(output, "dctx")),
        ("alpha", of_attention.dalpha, lines_of(backward, "dalpha")),
        ("e", of_attention.de, lines_of(backward, "de")),
        ("s", gradients.ds, ("ds, of (22) and of the score together",)),
    ]
    entries = [Entry(f"d{name}_t", array[t], lines, (name, None, t)) for name, array, lines in values]
    return Section(f"Back through t = {t}", backward, entries)


def source_section(dh):
    """What attention sends back to each source position."""
    lines = (*lines_of(attention.attention_backward, "dh"), "dh + dh_scores, of (20) and of the score together")
    entries = [Entry(f"dh[{j}]", dh[j], lines, ("h", None, j)) for j in range(len(dh))]
    return Section("To the source positions: sums over all t", attention.attention_backward, entries)


def replay(model, trace, targets, move):
    """The loss from the states on: mean nats per target. move(name, layer, t, value) returns value, or value moved."""
    p = {name: move(name, None, None, array) for name, array in own_parameters(model).items()}
    W_sy = p["W_sy"] if "W_sy" in p else model.output_matrix()
    h = np.stack([move("h", None, j, h_j) for j, h_j in enumerate(trace.attention.h)])
    nats = 0
    for t in range(len(targets)):
        s_t = move("s", None, t, trace.s[t])  # (1, H)
        if model.attention.name == "dot":
            e_t = (s_t * h).sum(axis=2).T  # (17)
        else:
            e_t = (np.tanh(s_t @ p["W_sa"] + h @ p["W_ha"] + p["b_a"]) @ p["v_a"]).T  # (18)
        e_t = move("e", None, t, e_t)  # (1, T_x)
        alpha_t = move("alpha", None, t, np.exp(e_t) / np.exp(e_t).sum())  # (19)
        ctx_t = move("ctx", None, t, sum(alpha_t[:, [j]] * h[j] for j in range(len(h))))  # (20)
        s_tilde_t = move("s_tilde", None, t, np.tanh(ctx_t @ p["W_cs"] + s_t @ p["W_ss"] + p["b_s"]))  # (22)
        logits = move("logits", None, t, s_tilde_t @ W_sy + p["b_y"])
        nats = nats + surprisal(logits[None], targets[t][None]).sum()  # (23)
    return nats / targets.size


def derivative(model, trace, targets, place, direction):
    """Σ ∂loss/∂q[k] direction[k] over the entries of the q at place, which is (name, layer, t)."""

    def move(name, layer, t, value):
        return value + 1j * COMPLEX_STEP * direction if (name, layer, t) == place else value

    return replay(model, trace, targets, move).imag / COMPLEX_STEP
