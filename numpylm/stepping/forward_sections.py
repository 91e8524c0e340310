"""The forward pass in sections: parameters, embedding, each step, the prediction and its loss."""

import numpy as np

from numpylm.embedding import embedding_forward
from numpylm.loss import cross_entropy_forward
from numpylm.stepping.formulas import Formula, call_in
from numpylm.stepping.walk import Entry, Section, entries_over_time

OUTPUT_EQUATION = {"rnn": "(2)", "lstm": "(9)"}


def forward_sections(walk, layers, steps):
    """The sections of the forward pass of these layers and steps."""
    yield parameters(walk)
    yield embedding(walk, steps)
    for layer in layers:
        for t in steps:
            yield step(walk, layer, t)
    yield output(walk, steps)


def parameters(walk):
    """Every parameter."""
    named = walk.model.parameters().items()
    entries = [Entry(name, array, gates=walk.parameter_gates(name)) for name, array in named]
    return Section("The parameters", None, entries)


def embedding(walk, steps):
    """x_t of each step."""
    (returned,) = walk.formulas["embedding_forward"]["return"]
    formula = Formula(returned.text.replace("return", "x ="), returned.equations)
    x = walk.value("embedding_forward", "return")
    return Section("Look the tokens up", embedding_forward, entries_over_time("x", x, steps, (formula,)))


def step(walk, layer, t):
    """All that goes into a step, and each of its lines."""
    time = walk.forward_time(layer, t)
    given = {
        "xW_t": (*walk.formulas[walk.forward].get("xW", ()), Formula(f"xW_t = xW[{t}]")),
        "h_prev": (previous("h", t),),
        "c_prev": (previous("c", t),),
    }
    arguments = [(name, name, given.get(name, ())) for name in walk.arguments(walk.step)]
    entries = []
    for name, key, formulas in arguments + walk.assigned(walk.step):
        value = walk.value(walk.step, key, time)
        entries.append(Entry(name, value, formulas, walk.gates_in(value)))
    title = f"Step t = {t}{walk.in_layer(layer)}, on {walk.token_names[t]}"
    return Section(title, walk.functions[walk.step], entries)


def previous(symbol, t):
    """Where a step's h_prev or c_prev comes from."""
    return Formula(f"{symbol}_prev = {f'{symbol}_t of step {t - 1}' if t > 0 else 'zeros: nothing came before'}")


def output(walk, steps):
    """logits; the lines of the loss, with y among them; the loss."""
    name = "cross_entropy_forward"
    projection = Formula(f"logits = {call_in(walk.model_source, 'affine_forward')}")
    entries = entries_over_time("logits", walk.value(name, "logits"), steps, (projection,))
    for symbol, key, formulas in walk.assigned(name):
        q = walk.value(name, key)
        if q.dtype.kind == "f":
            q = q[..., None] if q.ndim == 2 else q
            entries += entries_over_time(symbol, q, steps, numbered(walk, key, formulas))
    (returned,) = walk.formulas[name]["return"]
    loss = Formula(returned.text.replace("return", "loss =").partition(", CrossEntropyTrace")[0])
    entries.append(Entry("loss", np.array(walk.computation.loss), (loss,)))
    return Section("Predict and compare", cross_entropy_forward, entries)


def numbered(walk, key, formulas):
    """y's last line with the number of its equation, which depends on the cell."""
    if key != "y":
        return formulas
    return (*formulas[:-1], formulas[-1]._replace(equations=OUTPUT_EQUATION.get(walk.cell.name, "(2), (9)")))
