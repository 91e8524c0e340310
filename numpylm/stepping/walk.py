"""One forward and one backward pass as plain data: quantities, in the order of the computation.

`run_once` runs the model's own functions and keeps their records. A Quantity says what an intermediate is called, its
numbers at every step, which lines of the source compute it and, of a gradient, what it is the gradient of, so that it
can be proved. page_data.py makes a page of them; `walk` puts them into sections, which show.py prints.
"""

from collections.abc import Callable
from functools import partial
from typing import NamedTuple

import numpy as np

from numpylm.affine import affine_backward, affine_forward
from numpylm.embedding import embedding_backward, embedding_forward
from numpylm.loss import cross_entropy_backward, cross_entropy_forward
from numpylm.proof.moved_step import cell_function
from numpylm.recurrence import gates, project
from numpylm.stepping.lines import Line, lines_of
from numpylm.stepping.replay import derivatives, prove

GATES = {"rnn": "", "lstm": "ifoc", "gru": "rzn"}  # in the order of the packed arrays
PACKED = ("xW_t", "a_t", "hW_t", "da_t", "dhW_t", "W_x", "W_h", "b", "dW_x", "dW_h", "db")  # gates side by side


class Quantity(NamedTuple):
    """What is computed at every step: values (T, N, ·). Its symbol is i_t, or x[{}], where {} stands for t.

    place, of a gradient, is (name, k) of what it is the gradient of, as replay.py counts. packed are the gates side by
    side in the values. A parameter has one step.
    """

    symbol: str
    values: np.ndarray
    lines: tuple = ()
    place: tuple | None = None
    packed: str = ""

    def parts(self):
        """[(symbol, values)]: gate by gate if packed. da_t -> da_i …, dW_x -> dW_xi …, b -> b_i."""
        if not self.packed:
            return [(self.symbol, self.values)]
        stem = self.symbol.removesuffix("_t")
        names = [stem + gate if stem.endswith(("W_x", "W_h")) else f"{stem}_{gate}" for gate in self.packed]
        return list(zip(names, gates(self.values, len(self.packed)), strict=True))


class Section(NamedTuple):
    """Quantities at some steps under a title, and the function of the package that computes them (or None)."""

    title: str
    function: object
    quantities: list
    steps: list


class Walk(NamedTuple):
    """The loss; Sections of both passes, of the parameters' values and of their gradients; and prove: a function of a
    gradient's Quantity, of t, and of the entries to prove one by one in a large array, that gives its Proof."""

    loss: float
    forward: list
    backward: list
    values: list
    parameters: list
    prove: Callable


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

    def packed(self, name):
        """The gates in a packed array of this name; "" for any other."""
        return GATES[self.model.cell.name] if name.rpartition(".")[2] in PACKED else ""

    def layer(self, k):
        """The end of a title: which layer, if there are several."""
        return f", layer {k}" if len(self.layers) > 1 else ""


def chosen(name, given, number):
    """All of 0..number-1, or the one that is given. Raises ValueError if it lies outside."""
    if given not in (None, *range(number)):
        raise ValueError(f"{name} must lie in 0..{number - 1}; got {given!r}")
    return list(range(number)) if given is None else [given]


def run_once(model, inputs, targets):
    """The Run of the model's own functions, called as loss_and_gradients calls them, with all records kept."""
    out = model.forward(inputs)
    loss, loss_trace = cross_entropy_forward(out.logits, targets)
    dlogits = cross_entropy_backward(loss_trace)
    dh, dW_hy, db_y = affine_backward(dlogits, out.trace.h, model.output_matrix())
    traces = [trace._replace(lookup=None) for trace in out.trace.layers]  # dx is wanted, not the folded table's dE
    gradients, layers = model.backward(out.trace._replace(layers=traces), dh, dW_hy, db_y, keep_steps=True)
    return Run(model, out, loss, loss_trace.y, dlogits, dh, gradients, layers)


def prover(model, inputs, targets):
    """The function `prove` of a Walk."""
    functions = "numpylm.model.stack_forward", f"numpylm.{model.cell.name}.{model.cell.name}_step"
    return partial(prove, partial(derivatives, model, functions, (inputs,), targets))


def walk(model, inputs, targets, layers, steps):
    """The Walk over these layers and steps of one window: inputs and targets (T, N)."""
    run = run_once(model, inputs, targets)
    values = [Quantity(name, q[None], packed=run.packed(name)) for name, q in model.parameters().items()]
    return Walk(
        run.loss, forward_sections(run, layers, steps), backward_sections(run, layers, steps),
        [Section("Their values", None, values, [0])], parameter_sections(run, layers), prover(model, inputs, targets),
    )  # fmt: skip


def forward_sections(run, layers, steps):
    """From the tokens to the loss."""
    cell, (x, _, after) = run.model.cell, forward_of(run, 0)
    names = "log_at_target", "nats"
    lines = [line for name in names for line in lines_of(cross_entropy_forward, name)]
    loss = Quantity("loss", np.array([[run.loss]]), (*lines, Line("loss = nats[predicted].mean()")))
    within = [(layer, forward_of(run, layer)[1]) for layer in layers]
    step = cell_function(cell, "step")
    return [
        Section("Look the tokens up", embedding_forward, x, steps),
        *[Section(f"Step t = {t}{run.layer(k)}", step, quantities, [t]) for k, quantities in within for t in steps],
        Section("Predict", cross_entropy_forward, after, steps),
        Section("Compare", cross_entropy_forward, [loss], [0]),
    ]


def backward_sections(run, layers, steps):
    """From the loss to every step's gradients, in reverse order."""
    backward, step_backward = (cell_function(run.model.cell, name) for name in ("backward", "step_backward"))
    (dlogits, dh), _, _ = backward_of(run, 0)
    sections = [
        Section("From the loss to the logits", cross_entropy_backward, [dlogits], steps),
        Section("Through the output projection", affine_backward, [dh], steps),
    ]
    for k in reversed(layers):
        _, within, after = backward_of(run, k)
        sections += [
            Section(f"Back through t = {t}{run.layer(k)}", step_backward, within, [t]) for t in reversed(steps)
        ]
        sections.append(Section(f"To the input{run.layer(k)}", backward, after, steps))
    return sections


def parameter_sections(run, layers):
    """The parameters' gradients, which are sums over all steps: around the cell, then layer by layer."""
    backward = cell_function(run.model.cell, "backward")
    tied = (Line("and dW_hyᵀ is added, because W_hy is Eᵀ"),) if run.model.sizes.tie_weights else ()
    dE = lines_of(embedding_backward, "dE") + tied
    dW, db = lines_of(affine_backward, "dW"), lines_of(affine_backward, "db")

    def parameter(name, lines):
        return Quantity(f"d{name}", run.gradients[name][None], lines, (name, None), run.packed(name))

    around = [parameter(*each) for each in (("W_hy", dW), ("b_y", db), ("E", dE)) if each[0] in run.gradients]
    sections = [Section("Around the cell", affine_backward, around, [0])]
    for k in reversed(layers):
        prefix = run.model.stack.prefixes()[k]
        names = run.model.cell.Parameters._fields
        quantities = [parameter(prefix + name, lines_of(backward, f"d{name}")) for name in names]
        sections.append(Section(f"The cell{run.layer(k)}", backward, quantities, [0]))
    return sections


def forward_of(run, layer):
    """Lists of Quantities: what the lowest layer reads, what each step of a layer computes, and what is made of all."""
    cell, trace = run.model.cell, run.forward.trace.layers[layer]
    x = Quantity("x[{}]", run.forward.trace.layers[0].x, (Line("x = E[tokens]"),))
    xW = project(run.model.layer_parameters(layer), trace.x)
    xW_t = Quantity("xW_t", xW, lines_of(cell_function(cell, "forward"), "xW"), None, run.packed("xW_t"))
    steps = from_records(run, trace.steps, partial(lines_of, cell_function(cell, "step")))
    logits = Line("logits = h W_hy + b_y"), *lines_of(affine_forward, "y")
    y = Quantity("y[{}]", run.y, lines_of(cross_entropy_forward, "y"))
    return [x], [xW_t, *steps], [Quantity("logits[{}]", run.forward.logits, logits), y]


def backward_of(run, layer):
    """Lists of Quantities: what comes from the loss, each gradient of a layer's steps, and what goes to its input."""
    cell, out = run.model.cell, run.layers[layer]

    def lines(name):
        return lines_of(cell_function(cell, "backward" if name == "dh_t" else "step_backward"), name)

    def place(name):
        return "xW_t" if name == "da_t" else name.removeprefix("d"), layer * len(out.steps)

    dlogits = lines_of(cross_entropy_backward, "dlogits")
    dh = Line("dh = dlogits W_hyᵀ"), *lines_of(affine_backward, "dx")
    before = [  # in stack_forward h is the input first, then each layer's output; x is the argument, then each layer's
        Quantity("dlogits[{}]", run.dlogits, dlogits, ("logits", 0)),
        Quantity("dh[{}]", run.dh, dh, ("h", len(run.layers))),
    ]
    dx = Quantity("dx[{}]", out.dx, lines_of(cell_function(cell, "backward"), "dx"), ("x", 1 + layer))
    return before, from_records(run, out.steps, lines, place), [dx]


def from_records(run, records, lines, place=lambda name: None):
    """A Quantity for each field of the T records of a layer's steps."""
    found = []
    for name in records[0]._fields:
        values = np.stack([getattr(record, name) for record in records])  # (T, N, ·)
        found.append(Quantity(name, values, lines(name), place(name), run.packed(name)))
    return found
