"""The backward pass in sections: the loss, each step from the last to the first, the sums over time, the embedding."""

import inspect

import numpy as np

from numpylm.affine import affine_backward
from numpylm.embedding import embedding_backward
from numpylm.loss import cross_entropy_backward
from numpylm.model import layer_prefix
from numpylm.stepping.computation import PARAMETER, Place
from numpylm.stepping.formulas import Formula, formulas_of, loop_in
from numpylm.stepping.walk import READ_ALONE, Entry, Section, entries_over_time


def backward_sections(walk, layers, steps):
    """The sections of the backward pass of these layers and steps."""
    yield loss(walk, steps)
    yield projection(walk, steps)
    for layer in reversed(layers):
        for t in reversed(steps):
            yield step(walk, layer, t)
        yield sums(walk, layer, steps)
    yield embedding(walk)


def loss(walk, steps):
    """dlogits."""
    dlogits, formulas = walk.value("cross_entropy_backward", "dlogits"), walk.formulas["cross_entropy_backward"]
    place = Place("cross_entropy_forward", "logits")
    entries = entries_over_time("dlogits", dlogits, steps, formulas["dlogits"], place, "logits")
    return Section("From the loss to the logits", cross_entropy_backward, entries)


def projection(walk, steps):
    """dh, dW_hy and db_y."""
    call = formulas_of(walk.model_source).get("dW_hy", ())
    inner = walk.formulas["affine_backward"]
    dh, dW_hy, db_y = (walk.value("affine_backward", name) for name in ("dx", "dW", "db"))
    lines = (*call, Formula("(in which x is h, W is W_hy and b is b_y)"), *inner["dx"])
    entries = entries_over_time("dh", dh, steps, lines, Place("affine_forward", "x", walk.L), "h")
    entries.append(Entry("dW_hy", dW_hy, inner["dW"], "", Place("affine_forward", "W", walk.L), "W_hy"))
    entries.append(Entry("db_y", db_y, inner["db"], "", Place("affine_forward", "b", walk.L), "b_y"))
    return Section("Through the projection", affine_backward, entries)


def step(walk, layer, t):
    """What reaches a step from above and from the step after it, and each line of its backward pass."""
    time = walk.backward_time(layer, t)
    entries = reaching(walk, layer, t)
    for name, key, formulas in walk.assigned(walk.step_backward):
        value = walk.value(walk.step_backward, key, time)
        proved = walk.place_of(name, layer, t) if name == key else (None, "")
        formulas = (*formulas, *remarks(name, proved[0]))
        entries.append(Entry(name, value, formulas, walk.gates_in(value), *proved))
    return Section(f"Back through t = {t}{walk.in_layer(layer)}", walk.functions[walk.step_backward], entries)


def remarks(name, place):
    """What must be said of a gradient's proof: that it moves a quantity in one line alone, or that there is none."""
    if name in READ_ALONE:
        return (Formula("(proved by moving {} in the line of {} alone)".format(*READ_ALONE[name])),)
    if place is None and name.startswith("d"):
        return (Formula(f"(not proved: the forward pass has no quantity named {name.removeprefix('d')})"),)
    return ()


def reaching(walk, layer, t):
    """dh[t], dh_next, their sum dh_t; the LSTM's dc_next."""
    time, last = walk.backward_time(layer, t), layer == walk.L - 1
    place = Place("affine_forward", "x", walk.L, (t,)) if last else Place(walk.forward, "x", layer + 1, (t,))
    words = Formula(f"dh[{t}] = what comes from the {'output' if last else 'layer above'}")
    dh_t = walk.value(walk.step_backward, "dh_t", time)
    dh_next = np.zeros_like(dh_t) if t == walk.T - 1 else walk.value(walk.backward, "dh_next", time - 1)
    summed = walk.formulas[walk.backward].get("dh_t", ())
    return [
        Entry(f"dh[{t}]", walk.value(walk.backward, "dh", walk.L - 1 - layer)[t], (words,), "", place, f"h[{t}]"),
        from_next_step(walk, "dh_next", dh_next, layer, t),
        Entry("dh_t", dh_t, summed, "", *walk.place_of("dh_t", layer, t)),
        *[
            from_next_step(walk, name, walk.value(walk.step_backward, name, time), layer, t)
            for name in walk.arguments(walk.step_backward)
            if name.endswith("_next")
        ],
    ]


def from_next_step(walk, name, value, layer, t):
    """dh_next or dc_next: the gradient of the next step's h_prev or c_prev. After the last step there is none."""
    if t == walk.T - 1:
        return Entry(name, value, (Formula(f"{name} = zeros: no later step"),))
    q = name.removeprefix("d").replace("_next", "_prev")
    words = Formula(f"{name} = d{q} of step {t + 1}")
    return Entry(name, value, (words,), "", Place(walk.step, q, walk.forward_time(layer, t + 1)), q)


def sums(walk, layer, steps):
    """dx, and a layer's parameters' gradients; the recurrent matrix's step by step."""
    formulas, prefix = walk.formulas[walk.backward], layer_prefix(layer, walk.L)
    dx = walk.value(walk.backward, "dx", walk.L - 1 - layer)
    entries = entries_over_time("dx", dx, steps, formulas["dx"], Place(walk.forward, "x", layer), "x")
    for name in (name.removeprefix("d") for name in formulas if name.removeprefix("d") in walk.cell.Parameters._fields):
        gradient, lines = walk.computation.gradients[prefix + name], formulas[f"d{name}"]
        if name.startswith("W_h"):
            entries += contributions(walk, layer, name, steps)
        shown = () if lines == formulas["dx"] else lines  # one line gives several: it is shown once
        place = Place(PARAMETER, prefix + name)
        entries.append(Entry(f"d{name}", gradient, shown, walk.parameter_gates(name), place, name))
    return Section(f"The sums over time{walk.in_layer(layer)}", walk.functions[walk.backward], entries)


def contributions(walk, layer, name, steps):
    """What each step adds to the gradient of W_h or W_hh. It is proved by moving the matrix in that step alone."""
    return [
        Entry(
            f"d{name}", contribution(walk, layer, t, name), (Formula(f"what step {t} adds to d{name}"),),
            walk.parameter_gates(name), Place(walk.step, name, walk.forward_time(layer, t)), f"{name} in step {t}",
        )
        for t in steps
    ]  # fmt: skip


def contribution(walk, layer, t, name):
    """The cell's own backward pass over step t alone, from the state before it and with what reaches it."""
    forward, backward = walk.forward_time(layer, t), walk.backward_time(layer, t)
    cell, State, parameters = walk.computation.cell, walk.cell.State, walk.model.layer_parameters(layer)
    state = State(*[walk.value(walk.step, f"{field}_prev", forward) for field in State._fields])
    x_t = walk.value(walk.forward, "x", layer)[t : t + 1]
    dh_t = walk.value(walk.step_backward, "dh_t", backward)
    dstate = State(
        np.zeros_like(dh_t), *[walk.value(walk.step_backward, f"d{q}_next", backward) for q in State._fields[1:]]
    )
    trace = cell.forward(parameters, x_t, state).trace
    return getattr(cell.backward(parameters, dh_t[None], dstate, trace).dparameters, name)


def embedding(walk):
    """dE; with tied weights the sum over both of E's uses too."""
    dE, loop = walk.value("embedding_backward", "return"), Formula(loop_in(inspect.getsource(embedding_backward)))
    formulas = (*walk.formulas["embedding_backward"]["dE"], loop)
    entries = [Entry("dE", dE, formulas, "", Place("embedding_forward", "E"), "E")]
    if walk.sizes.tie_weights:
        words = Formula("and dW_hyᵀ is added, because W_hy is Eᵀ")
        entries.append(Entry("dE", walk.computation.gradients["E"], (words,), "", Place(PARAMETER, "E"), "E"))
    return Section("To the embedding", embedding_backward, entries)
