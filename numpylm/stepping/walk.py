"""What all sections share: a computation's quantities by name and step, and where a gradient's quantity stands.

A gradient dq is proved by moving q. Its Place follows from the names: dc_t moves c_t in the same step, dc_next the
c_prev of the next, da_f the columns of the forget gate in a_t.
"""

import inspect
from typing import NamedTuple

import numpy as np

from numpylm.model import LanguageModel
from numpylm.stepping.computation import Place
from numpylm.stepping.formulas import formulas_of, groups_of
from numpylm.stepping.taps import functions_of, sources_of

READ_ALONE = {"dh_carried": ("h_prev", "h_t")}  # the GRU's h_prev as the line of h_t reads it, not as the gates do


class Entry(NamedTuple):
    """A quantity: its symbol, its array, the Formulas that give it (or words in their place), the letters of the gates
    whose columns lie side by side in it, and for a gradient the Place and symbol of what it is the gradient of."""

    symbol: str
    value: np.ndarray
    formulas: tuple = ()
    gates: str = ""
    place: Place | None = None
    moved: str = ""


class Section(NamedTuple):
    """A heading, the function whose lines follow (or None), and the entries."""

    title: str
    function: object
    entries: list


class Walk:
    """A Computation of T steps of one sequence, its quantities by function, name, layer and step.

    token_names: the T + 1 tokens as they are shown. sources: what the computation ran, if not the package's own.
    """

    def __init__(self, computation, token_names, sources=None):
        self.computation, self.model, self.token_names = computation, computation.model, token_names
        self.cell, self.sizes = self.model.cell, self.model.sizes
        self.T, self.L = len(computation.inputs), self.sizes.num_layers
        self.functions = functions_of(self.cell)
        self.step, self.step_backward, self.forward, self.backward = (
            f"{self.cell.name}_{name}" for name in ("step", "step_backward", "forward", "backward")
        )
        self.sources = sources or sources_of(self.cell)
        self.formulas = {name: formulas_of(source) for name, source in self.sources.items()}
        self.model_source = inspect.getsource(LanguageModel.loss_and_gradients)
        self.gates = gates_of(self.cell.Parameters)

    def knows(self, function, name):
        """Whether a quantity was met."""
        return (function, name) in self.computation.values

    def value(self, function, name, time=0):
        """What a quantity was when it had been met so many times before."""
        return self.computation.values[function, name][time]

    def forward_time(self, layer, t):
        """How many steps ran before this one in the forward pass."""
        return layer * self.T + t

    def backward_time(self, layer, t):
        """How many steps ran before this one in the backward pass."""
        return (self.L - 1 - layer) * self.T + self.T - 1 - t

    def arguments(self, function):
        """The names of a function's arguments that are arrays, but for the parameters."""
        names = inspect.signature(self.functions[function]).parameters
        return [name for name in names if self.knows(function, name) and name not in self.cell.Parameters._fields]

    def assigned(self, function):
        """(name, key of its value, its Formulas) of all that a function assigns, in the order of its lines."""
        return [group for group in groups_of(self.sources[function]) if self.knows(function, group[1])]

    def gates_in(self, q):
        """The gates whose columns lie side by side in a quantity of a step."""
        return self.gates if q.shape[-1] == len(self.gates) * self.sizes.hidden_dim else ""

    def parameter_gates(self, name):
        """The same for a parameter."""
        return self.gates if name.rpartition(".")[2] in ("W_x", "W_h", "b") else ""

    def in_layer(self, layer):
        """Which layer, where there are several."""
        return f", layer {layer}" if self.L > 1 else ""

    def place_of(self, gradient, layer, t):
        """(the Place of what a step's gradient is the gradient of, its symbol), or (None, "") where none is known."""
        q, time, H = gradient.removeprefix("d"), self.forward_time(layer, t), self.sizes.hidden_dim
        if gradient in READ_ALONE:
            q, line = READ_ALONE[gradient]
            return Place(self.step, f"{q} in {line}", time), q
        if self.knows(self.step, q):
            return Place(self.step, q, time), q
        packed = "a_t" if self.knows(self.step, "a_t") else "xW_t"  # da_t is also xW_t's
        if q == "a_t":
            return Place(self.step, packed, time), packed
        if q.startswith("a_") and q[len("a_") :] in self.gates:
            gate = self.gates.index(q[len("a_") :])
            return Place(self.step, packed, time, (..., slice(gate * H, (gate + 1) * H))), block_name(packed, q[-1])
        return None, ""


def gates_of(Parameters):
    """The letters of a cell's gates in their order in the packed arrays: "ifoc", "rzn", or "" where nothing is."""
    views = [name for name, value in vars(Parameters).items() if isinstance(value, property)]
    return "".join(name.removeprefix("W_h") for name in views if name.startswith("W_h"))


def block_name(symbol, gate):
    """What one gate's columns of a packed array are called: W_x -> W_xi, b -> b_i, a_t -> a_i."""
    stem = symbol.removesuffix("_t")
    return stem + gate if stem.endswith(("W_x", "W_h")) else f"{stem}_{gate}"


def entries_over_time(symbol, q, steps, formulas, place=None, moved=""):
    """An entry for each q[t] of an array (T, N, ·); the first has the formulas."""
    return [
        Entry(
            f"{symbol}[{t}]", q[t], formulas if t == steps[0] else (), "",
            place and place._replace(part=(t,)), f"{moved}[{t}]",
        )
        for t in steps
    ]  # fmt: skip
