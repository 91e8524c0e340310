"""One call of a function of ours: its arguments, made from arrays by name, and what it returns, by name.

A cell's step is a sequence of one step: its dx_t, dh_prev and dW_h are the sequence's dx, dh_0 and dW_h. So one engine
serves a step and a sequence.

    name of a sequence's quantity         name of a step's
    dx (T, N, D)   dh_0   dc_0            dx_t (N, D)   dh_prev   dc_prev
    c (T, N, H)    h_T    c_T             c_t (N, H)    (h_t, c_t)
"""

import inspect
from dataclasses import dataclass
from importlib import import_module

import numpy as np

from numpylm import gru, lstm, rnn
from numpylm.attention import ATTENTIONS
from numpylm.loss import cross_entropy_forward
from numpylm.tutor import references

TEXTBOOK = (
    "activations affine attention clipping ctc embedding gru loss lstm memory_network projection rnn tutor.references"
)
MODULES = {  # each function of ours, by name -> its module
    name: module
    for module in [import_module(f"numpylm.{name}") for name in TEXTBOOK.split()]
    for name, value in vars(module).items()
    if inspect.isfunction(value) and value.__module__ == module.__name__
}
RETURNS = {"cross_entropy_backward": "dlogits", "embedding_backward": "dE", "sigmoid": "s", "log_softmax": "z"}
CELLS = {"rnn": rnn, "lstm": lstm, "gru": gru, "cho": references}
SEQUENCE = {"x": "x_t", "h_0": "h_prev", "c_0": "c_prev", "dh": "dh_t", "dc_T": "dc_next"}  # and of a step
GATES = {"rnn": "", "lstm": "ifoc", "gru": "rzn", "cho": "rzn"}
OPTIONS = ("mask", "recurrent_dropout", "resets_first", "keeps_z")  # of a cell, beside its arrays
OF_STEP = {"dx": "dx_t", "dh_0": "dh_prev", "dc_0": "dc_prev"}
OF_ATTENTION_STEP = {name: f"{name}_t" for name in ("s", "e", "alpha", "ctx", "de", "dalpha", "ds")}


@dataclass(frozen=True, eq=False)  # a case is itself alone, so that what is computed for it can be kept
class Case:
    """function, of ours, is called with arguments. cell is one of CELLS, or ""; sizes are its T, N, D, H."""

    function: str
    arguments: dict
    cell: str
    is_step: bool
    sizes: dict

    @property
    def T(self):
        """The number of time steps."""
        return self.sizes.get("T", 1)

    @property
    def is_backward(self):
        """Whether the function returns gradients."""
        return self.function.endswith("_backward")

    @property
    def step(self):
        """The name of the function of one step, "" where there is none."""
        suffix = "_step_backward" if self.is_backward else "_step"
        return f"{self.cell}{suffix}" if self.cell else ""


def case_of(function, inputs):
    """The Case of one of our functions for inputs by name; None for another. Raises KeyError for a missing input."""
    cell = cell_of(function)
    if cell:
        return cell_case(cell, function, inputs)
    if function == "cross_entropy_backward" and inputs.get("trace") is None:
        logits = inputs["logits"] if "logits" in inputs else np.log(inputs["y"])
        inputs = {**inputs, "trace": cross_entropy_forward(logits, inputs["targets"])[1]}
    if function.startswith("attention"):
        inputs = {"attention": ATTENTIONS["dot"], "parameters": (), **inputs}
    function = "ctc_utterance" if function in ("ctc_alpha", "ctc_dlogits") else function
    if function not in MODULES:
        return None
    asked = inspect.signature(getattr(MODULES[function], function)).parameters
    arguments = {name: inputs[name] for name, p in asked.items() if name in inputs or p.default is p.empty}
    return Case(function, arguments, "", False, {})


def cell_of(function):
    """The name of the cell that a function belongs to: rnn_relu_step is the RNN's; "" for a function of none."""
    cell, _, kind = function.partition("_")
    kind = kind.removeprefix("relu_")
    return cell if cell in CELLS and kind in ("step", "step_backward", "forward", "backward") else ""


def cell_case(cell, function, inputs):
    """The Case of a cell's function, with its records made from arrays by name."""
    module, is_step = CELLS[cell], "_step" in function
    Parameters, State = (getattr(module, cell.upper() + kind) for kind in ("Parameters", "State"))

    def given(name):
        value = inputs.get(SEQUENCE.get(name, name) if is_step else name)
        return value[None] if is_step and value is not None and name in ("x", "dh") else value

    def state(name):
        arrays = [given(name.format(q)) for q in State._fields]
        return State(*[np.zeros((sizes["N"], sizes["H"])) if q is None else q for q in arrays])

    x, parameters = given("x"), Parameters(*[inputs[name] for name in Parameters._fields])
    sizes = {"T": len(x), "N": x.shape[1], "D": x.shape[2], "H": len(parameters[1])}
    extra = {name: inputs[name] for name in OPTIONS if inputs.get(name) is not None}
    extra |= {"nonlinearity": inputs.get("nonlinearity", "tanh")} if cell == "rnn" else {}
    arguments = {"parameters": parameters, "x": x, "state_0": state("{}_0"), **extra}
    if not function.endswith("_backward"):
        return Case(f"{cell}_forward", arguments, cell, is_step, sizes)
    trace = getattr(module, f"{cell}_forward")(**arguments).trace
    incoming = {"dh": given("dh"), "dstate_T": state("d{}_T")}
    arguments = {"parameters": parameters, **incoming, "trace": trace, "keep_steps": True}
    return Case(f"{cell}_backward", arguments, cell, is_step, sizes)


def results_of(case):
    """Name -> right array of all that a case's function gives, each gate's own share too."""
    function = getattr(MODULES[case.function], case.function)
    found = named(case, function(**case.arguments))
    for name, row in (("dW_x", "dW_x"), ("dW_h", "dW_h"), ("db", "db_"), ("da_t", "da_")):
        gates = GATES.get(case.cell, "") if name in found else ""
        blocks = np.split(found[name], len(gates), axis=-1) if gates else []
        found |= {row + gate: block for gate, block in zip(gates, blocks, strict=True)}
    return found


def named(case, result):
    """What a case's function returns, as name -> array: gradients, values of the forward, or a record's fields."""
    if not case.cell:
        return named_result(case.function, result)
    found = gradients_of(result) if case.is_backward else values_of(result)
    if not case.is_step:
        return found
    return {OF_STEP.get(name, name): q[0] if q.ndim == 3 else q for name, q in found.items()}


def gradients_of(result):
    """Each field of the steps' gradients, (T, N, ·); dx, dh_0 (and dc_0), dW_x, dW_h, db of a sequence."""
    steps = [step for step in result.steps or [] if step is not None]
    inside = {name: np.stack([getattr(step, name) for step in steps]) for name in (steps[0]._fields if steps else ())}
    start = {f"d{name}_0": array for name, array in result.dstate_0._asdict().items()}
    parameters = {f"d{name}": array for name, array in result.dparameters._asdict().items()}
    return inside | {"dx": result.dx} | start | parameters


def values_of(out):
    """Each field of a sequence's steps, (T, N, ·), as h_t and as h; and the last state, h_T."""
    steps = {name: np.stack([getattr(step, name) for step in out.trace.steps]) for name in out.trace.steps[0]._fields}
    plain = {name.removesuffix("_t"): q for name, q in steps.items()}
    return {**steps, **plain, "h": out.h, **{f"{name}_T": q for name, q in out.state._asdict().items()}}


def named_result(function, result):
    """What a layer, a loss or an activation returns, by name."""
    if function.startswith("clip"):
        clipped, norm = result if isinstance(result, tuple) else (result, None)
        found = {f"clipped.{name}": q for name, q in clipped.items()}
        return found if norm is None else found | {"norm": np.asarray(norm)}
    if isinstance(result, dict):
        return result
    if function == "cross_entropy_forward":
        return {"loss": np.asarray(result[0]), "y": result[1].y}
    if hasattr(result, "_asdict"):
        arrays = {name: q for name, q in result._asdict().items() if isinstance(q, np.ndarray)}
        return {OF_ATTENTION_STEP.get(n, n) if "attention" in function else n: q for n, q in arrays.items()}
    name = "x" if function == "embedding_forward" else RETURNS.get(function)
    return {name or ("da" if function.endswith("_backward") else "y"): result}
