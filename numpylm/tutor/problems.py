"""Random problems: what a student's function is given, and what it should return, which is what our own returns.

The symbols of a problem are everything that a parameter of the student's function may be called; the answers are
everything that it may return. asked holds the parameters' names: a start state or a gradient that the function does not
ask for is zero. Weights and biases are of order one, so that nothing is linear, and all sizes differ, so that no
transpose is hidden.
"""

from typing import NamedTuple

import numpy as np

from numpylm import activations, clipping
from numpylm.attention import ATTENTIONS, attention_step
from numpylm.beam_search import beam_search
from numpylm.loss import cross_entropy_forward
from numpylm.memory_network import hop_forward
from numpylm.tutor import runner
from numpylm.tutor.case import CELLS, GATES, SEQUENCE, case_of, cell_of, results_of
from numpylm.tutor.mistakes import RETURNS

START, END, WIDTH, LENGTH_PENALTY = 1, 0, 3, 0.7  # of beam search
WHOLE = {"state_0", "trace", "cache", "step"}  # by which a whole start state may come in


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
        """The derivative, by hand."""
        x = self.x.ravel()
        slope = np.cos(x) * x**2 + 2 * np.sin(x) * x
        slope[:-1] += x[1:]
        slope[1:] += x[:-1]
        return slope.reshape(self.x.shape)


def problem_of(function, rng, sizes, asked):
    """A random problem for one of our functions, by name."""
    cell = cell_of(function)
    if cell:
        return cell_problem(function, cell_inputs(cell, rng, sizes, asked, "relu" in function), sizes)
    if function in ("central_difference", "complex_step"):
        f = Waves(rng.standard_normal((sizes.N, sizes.D)))
        gradient = f.gradient()
        f.x = f.x.astype(complex) if function == "complex_step" else f.x
        return Problem({"f": f, "x": f.x}, {"gradient": gradient}, sizes)
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
    T, N, D, H, V = sizes[:5]
    q, is_backward = rng.standard_normal, function.endswith("_backward")
    if function.startswith("affine"):
        return {"x": q((T, N, H)), "W": q((H, V)), "b": q(V), "dy": q((T, N, V))}
    if function.startswith("embedding"):
        tokens = rng.integers(V - 1, size=(T, N))  # the last of the vocabulary never occurs, and one token twice
        tokens[0, 0] = tokens[-1, -1]
        return {"tokens": tokens, "E": q((V, D)), "dx": q((T, N, D)), "vocab_size": V}
    if function.startswith("clip"):
        gradients = {"E": q((V, D)), "W_xh": q((D, H)), "b_h": q(H)}
        norm = clipping.global_norm(gradients) * (2 if sizes.extreme else 0.3)
        return {"gradients": gradients, "max_norm": norm, "limit": 0.75}
    if function.startswith("cross_entropy"):
        logits, targets = 1.5 * sizes.scale * q((T, N, V)), rng.integers(V, size=(T, N))
        logits[0, 0, 0] = 1000 if sizes.extreme and not is_backward else logits[0, 0, 0]
        trace = cross_entropy_forward(logits, targets)[1] if is_backward else None
        return {"logits": logits, "targets": targets} | ({"trace": trace, "y": trace.y} if trace else {})
    if function.startswith("ctc"):  # one utterance, and four labels: two are equal and side by side, and two differ
        first, second = 1 + rng.choice(V, 2, replace=False)
        y = activations.softmax(sizes.scale * q((T + 5, V + 1)))
        return {"y": y, "labels": np.array([first, second, second, first])}
    if function.startswith(("attention", "hop")):
        return reading_inputs(function, q, sizes)
    a, name = 1.5 * sizes.scale * q((N, V)), function.removesuffix("_backward")
    if is_backward:
        output = RETURNS.get(name, "y")
        return {"a": a, output: getattr(activations, name)(a), f"d{output}": q(a.shape)}
    a[0, 1], a[-1, 2] = (1000, -1000) if sizes.extreme else (a[0, 1], a[-1, 2])
    return {"a": a}


def reading_inputs(function, q, sizes):
    """Name -> value of all that one step of dot-product attention, or one hop over T sentences, may be given."""
    T, N, D, H = sizes[:4]
    mask = np.arange(T)[:, None] < np.arange(T, T - N, -1)  # N sequences of T, T - 1, … steps
    if function.startswith("hop"):
        symbols = {"u": sizes.scale * q((N, D)), "m": q((T, N, D)), "v": q((T, N, D)), "mask": mask}
        step = hop_forward(**symbols)
        found = {"du_next": q((N, D)), "p": step.p, "hop": step}
    else:
        symbols = {"s_t": sizes.scale * q((N, H)), "h": q((T, N, H)), "mask": mask}
        step = attention_step(ATTENTIONS["dot"], (), **symbols)
        found = {"dctx_t": q((N, H)), "alpha_t": step.alpha}
    return symbols | (found | {"step": step} if function.endswith("_backward") else {})


def beam_search_problem(rng, sizes):
    """(symbols, answers) of a table of log-probabilities in which greedy search finds another sequence."""
    while True:
        logits = 1.5 * rng.standard_normal((sizes.T, sizes.V, sizes.V))
        logits[:2, :, END] -= 9  # no answer is empty
        log_y = activations.log_softmax(logits)
        greedy, best = (search(log_y, width) for width in (1, WIDTH))
        if greedy.tokens != best.tokens:
            break
    symbols = {"log_y": log_y, "start": START, "end": END, "width": WIDTH, "length_penalty": LENGTH_PENALTY}
    return symbols, {"tokens": np.array(best.tokens), "score": np.asarray(best.score)}


def search(log_y, width):
    """The best Hypothesis; a hypothesis's state is the number of its tokens."""

    def advance(tokens, steps):
        return log_y[steps[0], tokens], steps + 1

    first = np.array([0]), np.array([START])
    ((best,),) = beam_search(advance, *first, END, len(log_y), width, LENGTH_PENALTY)
    return best


def cell_inputs(cell, rng, sizes, asked, is_relu=False):
    """Our name -> array, of a whole sequence of a cell, and of the gradients that come in."""
    T, N, D, H = sizes[:4]
    shapes = getattr(CELLS[cell], f"{cell}_shapes")(D, H)
    inputs = {name: sizes.scale * random_weights(rng, shape) for name, shape in shapes.items()}
    inputs |= {"x": rng.standard_normal((T, N, D)), "dh": rng.standard_normal((T, N, H))}
    for q in STATES[cell]:
        is_given = bool(asked & (WHOLE | {f"{q}_0", f"{q}_prev"}))
        inputs[f"{q}_0"] = is_given * sizes.scale * rng.standard_normal((N, H))
        is_given = bool(asked & {"dstate_T", f"d{q}_T", "dc_next" if q == "c" else ""})
        inputs[f"d{q}_T"] = is_given * rng.standard_normal((N, H))
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
    given = case.arguments
    parameters, trace = given["parameters"], given.get("trace")
    W_x, _, b = parameters[:3]
    x = inputs["x_t" if case.is_step else "x"]
    found = {"xW_t" if case.is_step else "xW": x @ W_x + b} | by_gate(parameters, case.cell)
    if not case.is_step:
        state_0 = getattr(CELLS[case.cell], f"{case.cell.upper()}State")(*[inputs[f"{q}_0"] for q in STATES[case.cell]])
        found |= {"parameters": parameters, "state_0": state_0}
    if trace is not None and case.is_step:
        found |= {"step": trace.steps[0]} | trace.steps[0]._asdict()
    elif trace is not None:
        found |= {"trace": trace, "dstate_T": given["dstate_T"], "h": trace.h}
        found |= {name: getattr(trace, name) for name in INSIDE[case.cell].split()}
    return found | inputs


def by_gate(parameters, cell):
    """Each gate's share of packed weights, under the names of the equations: W_xi, W_hi, b_i, …"""
    names = [f"{row}{gate}" for row in ("W_x", "W_h", "b_") for gate in GATES[cell]]
    return {name: getattr(parameters, name).copy() for name in names}


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


STATES = {"rnn": ("h",), "lstm": ("h", "c"), "gru": ("h",)}
INSIDE = {"rnn": "a", "lstm": "i f o c_tilde c tanh_c", "gru": "r z n"}  # of a trace, (T, N, H)
