"""One forward and one backward pass as plain data: sections of quantities, in the order of the computation.

`walk` runs the model's own functions once and reads their records. Each Entry says what a quantity is called, which
lines of the source compute it, its numbers and, of a gradient, which quantity it belongs to, so that it can be proved.
show.py prints the sections, and page_data.py makes a page of them.
"""

from functools import partial
from typing import NamedTuple

import numpy as np

from numpylm.affine import affine_backward, affine_forward
from numpylm.embedding import embedding_backward, embedding_forward
from numpylm.loss import cross_entropy_backward, cross_entropy_forward
from numpylm.model import layer_prefix
from numpylm.proof.moved_step import cell_function
from numpylm.recurrence import gates
from numpylm.stepping.lines import Line, lines_of
from numpylm.stepping.replay import Place, derivatives, prove

GATES = {"rnn": "", "lstm": "ifoc", "gru": "rzn"}  # in the order of the packed arrays
PACKED = ("xW_t", "a_t", "hW_t", "da_t", "dhW_t", "W_x", "W_h", "b", "dW_x", "dW_h", "db")  # gates side by side


class Entry(NamedTuple):
    """One quantity. place, of a gradient, is the Place of what it is the gradient of. packed are the gates side by side
    in value; repeated says that the same numbers stood before."""

    symbol: str
    value: np.ndarray
    lines: tuple = ()
    place: Place | None = None
    packed: str = ""
    repeated: bool = False


class Section(NamedTuple):
    """Entries under a title, and the function of the package that computes them (or None)."""

    title: str
    function: object
    entries: list


class Walk(NamedTuple):
    """The loss; Sections of both passes, of the parameters' values and of their gradients; and prove: a function of a
    gradient's Entry, and of the indices to prove one by one in a large array, that gives its Proof."""

    loss: float
    forward: list
    backward: list
    values: list
    parameters: list
    prove: object


class Run(NamedTuple):
    """The records of one pass."""

    model: object
    forward: object  # ForwardOutput
    loss: float
    y: np.ndarray
    dlogits: np.ndarray
    dh: np.ndarray
    gradients: dict  # of the parameters
    layers: list  # each layer's Gradients

    def entry(self, symbol, value, lines=(), place=None, repeated=False):
        """An Entry, packed if its symbol is a packed array's."""
        *_, name = symbol.split(".")  # without the layer
        return Entry(symbol, value, lines, place, GATES[self.model.cell.name] if name in PACKED else "", repeated)

    def title(self, words, layer):
        """A title with the layer, if there are several."""
        return f"{words}, layer {layer}" if len(self.layers) > 1 else words


def chosen(name, given, number):
    """All of 0..number-1, or the one that is given. Raises ValueError if it lies outside."""
    if given not in (None, *range(number)):
        raise ValueError(f"{name} must lie in 0..{number - 1}; got {given!r}")
    return list(range(number)) if given is None else [given]


def walk(model, inputs, targets, layers, steps):
    """The Walk over these layers and steps of one window: inputs and targets (T, N)."""
    run = run_once(model, inputs, targets)
    functions = "numpylm.model.LanguageModel._hidden", f"numpylm.{model.cell.name}.{model.cell.name}_step"
    values = [run.entry(name, array) for name, array in model.parameters().items()]
    return Walk(
        run.loss, forward_sections(run, layers, steps), backward_sections(run, layers, steps),
        [Section("Their values", None, values)], parameter_sections(run, layers),
        partial(prove, partial(derivatives, model, functions, (inputs,), targets)),
    )  # fmt: skip


def run_once(model, inputs, targets):
    """The Run of the model's own functions, called as loss_and_gradients calls them, with all records kept."""
    out = model.forward(inputs)
    loss, loss_trace = cross_entropy_forward(out.logits, targets)
    dlogits = cross_entropy_backward(loss_trace)
    dh, dW_hy, db_y = affine_backward(dlogits, out.trace.h, model.output_matrix())
    traces = [trace._replace(lookup=None) for trace in out.trace.layers]  # dx is wanted, not the folded table's dE
    gradients, layers = model.backward(out.trace._replace(layers=traces), dh, dW_hy, db_y, keep_steps=True)
    return Run(model, out, loss, loss_trace.y, dlogits, dh, gradients, layers)


def over_time(symbol, q, lines, steps, name=None, k=0):
    """An Entry for each q[t] of an array (T, N, ·), which all have the same lines; its gradient's Place is name[t]."""
    return [Entry(f"{symbol}[{t}]", q[t], lines, Place(name, k, t) if name else None) for t in steps]


def forward_sections(run, layers, steps):
    """From the tokens to the loss."""
    x, logits = (Line("x = E[tokens]"),), (Line("logits = h W_hy + b_y"), *lines_of(affine_forward, "y"))
    y, at_target, nats = (lines_of(cross_entropy_forward, name) for name in ("y", "log_at_target", "nats"))
    loss = Entry("loss", np.array([run.loss]), (*at_target, *nats, Line("loss = nats[predicted].mean()")))
    return [
        Section("Look the tokens up", embedding_forward, over_time("x", run.forward.trace.layers[0].x, x, steps)),
        *[forward_step(run, layer, t) for layer in layers for t in steps],
        Section("Predict and compare", cross_entropy_forward, [
            *over_time("logits", run.forward.logits, logits, steps), *over_time("y", run.y, y, steps), loss,
        ]),
    ]  # fmt: skip


def forward_step(run, layer, t):
    """One step's quantities in the order of its lines."""
    model, trace = run.model, run.forward.trace.layers[layer]
    step = cell_function(model.cell, "step")
    xW_t = model.cell.project(model.layer_parameters(layer), trace.x[t : t + 1])[0]
    entries = [run.entry("xW_t", xW_t, lines_of(cell_function(model.cell, "forward"), "xW"))]
    entries += [run.entry(name, value, lines_of(step, name)) for name, value in trace.steps[t]._asdict().items()]
    return Section(run.title(f"Step t = {t}", layer), step, entries)


def backward_sections(run, layers, steps):
    """From the loss to every step's gradients, in reverse order."""
    dlogits, last_h = lines_of(cross_entropy_backward, "dlogits"), len(run.layers) + 1  # x, each layer's, the dropped h
    dh = (Line("dh = dlogits W_hyᵀ"), *lines_of(affine_backward, "dx"))
    through_loss = over_time("dlogits", run.dlogits, dlogits, steps, "logits")
    through_output = over_time("dh", run.dh, dh, steps, "h", last_h)
    sections = [
        Section("From the loss to the logits", cross_entropy_backward, through_loss),
        Section("Through the output projection", affine_backward, through_output),
    ]
    backward = cell_function(run.model.cell, "backward")
    for layer in reversed(layers):
        dx = over_time("dx", run.layers[layer].dx, lines_of(backward, "dx"), steps, "x", layer)
        sections += [backward_step(run, layer, t) for t in reversed(steps)]
        sections.append(Section(run.title("To the input", layer), backward, dx))
    return sections


def backward_step(run, layer, t):
    """Each gradient of a step's record."""
    cell, out = run.model.cell, run.layers[layer]
    step_backward = cell_function(cell, "step_backward")
    entries = []
    for name, value in out.steps[t]._asdict().items():
        lines = lines_of(cell_function(cell, "backward") if name == "dh_t" else step_backward, name)
        place = Place("xW_t" if name == "da_t" else name.removeprefix("d"), layer * len(out.steps) + t)
        above = name in PACKED and bool(GATES[cell.name])  # da_t: the gradients above, side by side
        entries.append(run.entry(name, value, lines, place, above))
    return Section(run.title(f"Back through t = {t}", layer), step_backward, entries)


def parameter_sections(run, layers):
    """The parameters' gradients, which are sums over all steps: around the cell, then layer by layer."""
    backward = cell_function(run.model.cell, "backward")
    tied = run.model.sizes.tie_weights
    dE = lines_of(embedding_backward, "dE") + ((Line("and dW_hyᵀ is added, because W_hy is Eᵀ"),) if tied else ())
    dW, db = lines_of(affine_backward, "dW"), lines_of(affine_backward, "db")

    def parameter(name, lines):
        return run.entry(f"d{name}", run.gradients[name], lines, Place(name))

    around = [parameter(*each) for each in (("W_hy", dW), ("b_y", db), ("E", dE)) if each[0] in run.gradients]
    sections = [Section("Around the cell", affine_backward, around)]
    for layer in reversed(layers):
        names = [f"{layer_prefix(layer, len(run.layers))}{name}" for name in run.model.cell.Parameters._fields]
        entries = [parameter(name, lines_of(backward, f"d{name.rpartition('.')[2]}")) for name in names]
        sections.append(Section(run.title("The cell", layer), backward, entries))
    return sections


def parts_of(entry):
    """[(symbol, array)]: a packed array gate by gate, any other as it is. da_t -> da_i …, dW_x -> dW_xi …, b -> b_i."""
    if not entry.packed:
        return [(entry.symbol, entry.value)]
    stem = entry.symbol.removesuffix("_t")
    names = [stem + gate if stem.endswith(("W_x", "W_h")) else f"{stem}_{gate}" for gate in entry.packed]
    return list(zip(names, gates(entry.value, len(entry.packed)), strict=True))
