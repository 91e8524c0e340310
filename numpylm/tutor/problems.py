"""Random problems: what a student's function is given, and what it should return, which is what our own returns.

The symbols of a problem are everything that a parameter of the student's function may be called; the answers are
everything that it may return. asked holds the parameters' names: a start state or a gradient that the function does not
ask for is zero. Weights and biases are of order one, so that nothing is linear, and all sizes differ, so that no
transpose is hidden.
"""

from typing import NamedTuple

import numpy as np

from numpylm import activations, clipping
from numpylm.beam_search import beam_search
from numpylm.proof.numerical import complex_step
from numpylm.tutor.case import CELLS, GATES, SEQUENCE, case_of, cell_of, results_of
from numpylm.tutor.diagnosis.mistakes import MODULES
from numpylm.tutor.process import runner

SEARCH = {"start": 1, "end": 0, "width": 3, "length_penalty": 0.7}
WHOLE = {"state_0", "trace", "cache", "step"}  # by which a whole start state may come in
SHAPES = {  # a layer's arrays, each with its axes; an activation's otherwise
    "affine": "x TNH W HV b V dy TNV", "embedding": "E VD dx TND", "clip": "E VD W_xh DH b_h H",
    "cross": "logits TNV", "ctc": "", "attention": "s_t NH h TNH dctx_t NH", "hop": "u ND m TND v TND du_next ND",
}  # fmt: skip
WITH_CACHE = ("cross", "attention", "hop")  # whose backwards read what the forward has kept
STATES = {cell: getattr(module, f"{cell.upper()}State")._fields for cell, module in CELLS.items()}
INSIDE = {"rnn": "a", "lstm": "i f o c_tilde c tanh_c", "gru": "r z n", "cho": "r z n"}  # of a trace, (T, N, H)


class Sizes(NamedTuple):
    """T time steps, N sequences, D embedding size, H hidden size, V vocabulary size; extreme adds inputs of ±1000;
    weights, states and pre-activations are larger by scale."""

    T: int
    N: int
    D: int
    H: int
    V: int
    extreme: bool = False
    scale: float = 1.0


class Problem(NamedTuple):
    """symbols: name -> value for the parameters; answers: name -> array, every quantity that can be compared."""

    symbols: dict
    answers: dict
    sizes: Sizes


class Waves(runner.Waves):
    """The function that is differentiated numerically, with its derivative."""

    def gradient(self):
        """The derivative."""
        x = self.x.astype(complex)
        return complex_step(runner.Waves(x), x)


def problem_of(function, rng, sizes, asked):
    """A random problem for one of our functions, by name."""
    cell = cell_of(function)
    if cell:
        return cell_problem(function, cell_inputs(cell, rng, sizes, asked, "relu" in function), sizes)
    if function in ("central_difference", "complex_step"):
        f = Waves(rng.standard_normal((sizes.N, sizes.D)).astype(complex if function == "complex_step" else float))
        return Problem({"f": f, "x": f.x}, {"gradient": f.gradient()}, sizes)
    if function == "beam_search":
        return Problem(*beam_search_problem(rng, sizes), sizes)
    if function == "truncated_bptt":
        inputs = cell_inputs("rnn", rng, sizes, asked)
        symbols = symbols_of(case_of("rnn_forward", inputs), inputs) | {"dh": inputs["dh"], "window": 2}
    else:
        symbols = layer_inputs(function, rng, sizes)
    answers = results_of(case_of(function, symbols))
    return Problem(symbols, {name: q for name, q in answers.items() if name not in symbols}, sizes)


def layer_inputs(function, rng, sizes):
    """Name -> value of all that a layer, a loss, an activation or clipping may be given."""
    T, N, _, _, V = sizes[:5]
    kind, is_backward = function.partition("_")[0], function.endswith("_backward")
    shapes = SHAPES.get(kind, "a NV").split()
    found = {name: rng.standard_normal([getattr(sizes, n) for n in axes])
             for name, axes in zip(shapes[::2], shapes[1::2], strict=True)}  # fmt: skip
    found |= {name: 1.5 * sizes.scale * found[name] for name in ("a", "logits", "s_t", "u") if name in found}
    if kind in ("attention", "hop"):
        found["mask"] = np.arange(T)[:, None] < np.arange(T, T - N, -1)  # N sequences of T, T - 1, … steps
    elif kind == "embedding":
        found |= {"tokens": rng.integers(V - 1, size=(T, N)), "vocab_size": V}  # the last token never occurs,
        found["tokens"][0, 0] = found["tokens"][-1, -1]  # and one of them twice
    elif kind == "clip":
        norm = clipping.global_norm(found) * (2 if sizes.extreme else 0.3)
        found = {"gradients": found, "max_norm": norm, "limit": 0.75}
    elif kind == "ctc":  # one utterance, and four labels: two are equal and side by side, and two differ
        first, second = 1 + rng.choice(V, 2, replace=False)
        y = activations.softmax(sizes.scale * rng.standard_normal((T + 5, V + 1)))
        found = {"y": y, "labels": np.array([first, second, second, first])}
    elif kind == "cross":
        found["targets"] = rng.integers(V, size=(T, N))
    if is_backward:
        return found | of_the_forward(function.removesuffix("_backward"), found, rng)
    for name in {"a", "logits"} & found.keys() if sizes.extreme else ():
        found[name].flat[[1, -1]] = 1000, -1000
    return found


def of_the_forward(function, found, rng):
    """What a layer's backward may be given of its forward, and an activation's gradient that comes in."""
    if "a" not in found and not function.startswith(WITH_CACHE):
        return {}
    case = case_of(function if function in MODULES else f"{function}_forward", found)
    values = results_of(case)
    if "a" in found:
        ((name, q),) = values.items()
        return {name: q, f"d{name}": rng.standard_normal(q.shape)}
    record = getattr(MODULES[case.function], case.function)(**case.arguments)
    record = record[1] if function == "cross_entropy" else record
    return values | dict.fromkeys(("trace", "step", "hop"), record)


def beam_search_problem(rng, sizes):
    """(symbols, answers) of a table of log-probabilities in which greedy search finds another sequence."""
    greedy = best = None
    while greedy == best:
        logits = 1.5 * rng.standard_normal((sizes.T, sizes.V, sizes.V))
        logits[:2, :, SEARCH["end"]] -= 9  # no answer is empty
        log_y = activations.log_softmax(logits)
        greedy, best = (search(log_y, width) for width in (1, SEARCH["width"]))
    return {"log_y": log_y} | SEARCH, {"tokens": np.array(best.tokens), "score": np.asarray(best.score)}


def search(log_y, width):
    """The best Hypothesis; a hypothesis's state is the number of its tokens."""

    def advance(tokens, steps):
        return log_y[steps[0], tokens], steps + 1

    first = np.array([0]), np.array([SEARCH["start"]])
    ((best,),) = beam_search(advance, *first, SEARCH["end"], len(log_y), width, SEARCH["length_penalty"])
    return best


def cell_inputs(cell, rng, sizes, asked, is_relu=False):
    """Our name -> array, of a whole sequence of a cell, and of the gradients that come in."""
    T, N, D, H = sizes[:4]
    shapes = getattr(CELLS[cell], f"{cell}_shapes")(D, H)
    inputs = {name: sizes.scale * random_weights(rng, shape) for name, shape in shapes.items()}
    inputs |= {"x": rng.standard_normal((T, N, D)), "dh": rng.standard_normal((T, N, H))}
    for q in STATES[cell]:
        has_start = asked & (WHOLE | {f"{q}_0", f"{q}_prev"})
        has_end = asked & {"dstate_T", f"d{q}_T", "dc_next" if q == "c" else ""}
        inputs[f"{q}_0"] = bool(has_start) * sizes.scale * rng.standard_normal((N, H))
        inputs[f"d{q}_T"] = bool(has_end) * rng.standard_normal((N, H))
    if cell == "rnn":
        inputs["nonlinearity"] = "relu" if is_relu or (sizes.extreme and "nonlinearity" in asked) else "tanh"
        if inputs["nonlinearity"] == "relu":
            inputs["b_h"][:2] = 4, -4  # a unit that is on and one that is off, whatever else is drawn
    return inputs


def random_weights(rng, shape):
    """Weights of order one, scaled so that sums over them do not saturate every gate; biases too."""
    return rng.standard_normal(shape) / np.sqrt(shape[0] if len(shape) > 1 else 2)


def cell_problem(function, inputs, sizes):
    """The problem of a cell's function for these inputs of a sequence; a step takes the first of each."""
    if "_step" in function:
        inputs = {SEQUENCE.get(n, n): q[0] if n in ("x", "dh") else q for n, q in inputs.items() if n != "dh_T"}
    case = case_of(function, inputs)
    return Problem(symbols_of(case, inputs), cell_answers(case), sizes)


def symbols_of(case, inputs):
    """What a cell's function may be given: records of ours, and every array by name, packed and gate by gate."""
    parameters, trace = case.arguments["parameters"], case.arguments.get("trace")
    W_x, _, b = parameters[:3]
    gated = [f"{row}{gate}" for row in ("W_x", "W_h", "b_") for gate in GATES[case.cell]]
    found = {name: getattr(parameters, name).copy() for name in gated}
    if case.is_step:
        found["xW_t"] = inputs["x_t"] @ W_x + b
        found |= {} if trace is None else {"step": trace.steps[0]} | trace.steps[0]._asdict()
        return found | inputs
    State = getattr(CELLS[case.cell], f"{case.cell.upper()}State")
    found |= {"xW": inputs["x"] @ W_x + b, "state_0": State(*[inputs[f"{q}_0"] for q in STATES[case.cell]])}
    found |= {name: q for name, q in case.arguments.items() if name in ("parameters", "trace", "dstate_T")}
    found |= {} if trace is None else {name: getattr(trace, name) for name in ["h", *INSIDE[case.cell].split()]}
    return found | inputs


def cell_answers(case):
    """Every quantity that a cell's function may return, in the order of its computation."""
    found = results_of(case)
    if not case.is_backward:
        fields = getattr(CELLS[case.cell], f"{case.cell.upper()}Step")._fields
        names = fields if case.is_step else [*INSIDE[case.cell].split(), "h", "h_T", "c_T"]
        return {name: found[name] for name in names if name in found and not name.endswith("_prev")}
    if case.is_step:
        return {n: q for n, q in found.items() if n not in ("dh_t", "dc_next")} | {"dxW_t": found["da_t"]}
    return {n: q for n, q in found.items() if n == "dx" or n.startswith(("dW", "db")) or n.endswith("_0")}
