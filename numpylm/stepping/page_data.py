"""What the page of `python -m numpylm step --html` shows, as data for JSON: the numbers and lines of one walk.

An array is written as {"shape": …, "float64": base64 of its bytes}, so that the page has the very numbers of the walk.
N is 1: a quantity is (T, n), with n = H, or D for x. Logits are there for the tokens that the page shows alone.
"""

import base64
import re

import numpy as np

from numpylm.loss import IGNORED, surprisal
from numpylm.stepping.lines import formula
from numpylm.stepping.walk import GATES, backward_of, forward_of, prover, run_once

MOST_PROVED = 2e8  # T² times the parameters, about ten seconds: beyond, gradients are proved at the step asked for
MOST_WEIGHTS = 200_000  # up to here the page holds all parameters, and can compute with them
MOST_CHOICES = 200  # tokens to choose from
PROBABLE = 5  # predictions that are shown, besides the token that came
PROVED = 6  # numbers of a large array that are proved one by one
CARRIERS = {"rnn": "", "lstm": "the forget gates", "gru": "the update gates"}  # what carries a gradient along the state
CARRIED = {"rnn": ("dh_t", None), "lstm": ("dc_t", "f_t"), "gru": ("dh_t", "z_t")}  # the gradient, and its gate
KNOBS = {"rnn": ("b_h", ""), "lstm": ("b", "f"), "gru": ("b", "z")}  # the bias that a slider moves
OF_TOKENS = {  # one number for each token of the vocabulary: what they are, for their lines alone do not say it
    "logits": "h_t W_hy + b_y", "y": "softmax(logits)", "dlogits": "(y − 1 at the token that came) / T",
}  # fmt: skip
AROUND = {  # what a quantity is computed from, and how many steps away: between the steps, and around the cell
    "h_prev": [("h_t", -1)], "c_prev": [("c_t", -1)], "dh_next": [("dh_prev", 1)], "dc_next": [("dc_prev", 1)],
    "logits": [("h_t", 0)], "y": [("logits", 0)], "dlogits": [("y", 0)], "dh": [("dlogits", 0)],
}  # fmt: skip


def page_data(model, tokens, names, layer, at=None):
    """The data for a window of tokens (T + 1,). names are what to call each token, by its id; at is the step to
    open the page at. Raises ValueError where the loss is not finite."""
    T, sizes, cell = len(tokens) - 1, model.sizes, model.cell
    inputs, targets = tokens[:-1, None], tokens[1:, None]  # (T, 1)
    run, prove_at = run_once(model, inputs, targets), prover(model, inputs, targets)
    if not np.isfinite(run.loss):
        raise ValueError(f"the model's loss on this text is {run.loss}; a page shows finite numbers only")
    forward, backward = by_name(forward_of(run, layer)), by_name(backward_of(run, layer))
    del backward["dh"]  # it has no line of its own
    if layer:
        del forward["x"]  # it is the embedding, which the lowest layer alone reads
    numbers = numbers_of(forward, backward)
    packed = parts(cell, numbers)
    listed = {
        "forward": [line(cell, name, q, numbers) for name, q in forward.items() if not name.endswith("_prev")],
        "backward": [line(cell, name, q, numbers) for name, q in backward.items()],
    }
    number, asked = sum(array.size for array in model.parameters().values()), [] if at is None else [at]
    proved = list(range(T)) if T * T * number <= MOST_PROVED else asked
    return {
        "cell": cell.name, "relu": cell.options.get("nonlinearity") == "relu", "at": at,
        "sizes": {"T": T, "D": sizes.embedding_dim, "H": sizes.hidden_dim, "V": sizes.vocab_size},
        "layer": layer, "layers": sizes.num_layers, "loss": run.loss, "ids": tokens.tolist(),
        "tokens": [names[token] for token in tokens],
        "predictions": predictions(run, tokens, names),
        "bits": (surprisal(run.forward.logits, targets)[:, 0] / np.log(2)).tolist(),
        "lines": listed, "parts": packed, "sources": sources(listed, packed, numbers),
        "numbers": {name: in_base64(array) for name, array in numbers.items()}, "proved": proved,
        "proofs": {name: proofs(prove_at, q, proved) for name, q in backward.items()},
        "carrier": CARRIERS[cell.name], "reach": reach(model, inputs, targets, layer),
        **(weights(model, tokens, names) if number <= MOST_WEIGHTS else {"weights": None}), **sliders(model),
    }  # fmt: skip


def described(data):
    """The sizes, which layer is shown, and what a large model's page leaves out, in sentences."""
    text = ", ".join(f"{name} = {size}" for name, size in data["sizes"].items()) + "."
    if data["layers"] > 1:
        text += f" Layer {data['layer']} of 0 to {data['layers'] - 1} is shown."
    if len(data["proved"]) < data["sizes"]["T"]:
        here = f"proved at t = {data['at']} alone" if data["proved"] else "not proved"
        text += f" The model is large: its gradients are {here}; --at t proves those of one step."
    if not data["weights"]:
        text += f" It has more than {MOST_WEIGHTS:,} parameters: the page has no sliders."
    return text


def in_base64(array):
    """An array for JSON."""
    return {"shape": array.shape, "float64": base64.b64encode(np.ascontiguousarray(array, "<f8").tobytes()).decode()}


def by_name(sections):
    """name -> Quantity. x[{}] … are named without t; da_t is there as da_i, da_f …"""
    every = [q for quantities in sections for q in quantities if not (q.place and q.packed)]
    return {q.symbol.removesuffix("[{}]"): q for q in every}


def numbers_of(forward, backward):
    """name -> (T, n). Packed arrays gate by gate; dh_next and dc_next too, and dh, what reaches h_t from above."""
    numbers = {}
    for name, q in {**forward, **backward}.items():
        if name not in OF_TOKENS:
            numbers |= {part: values[:, 0] for part, values in q._replace(symbol=name).parts()}
    for state in ("h", "c"):
        if f"d{state}_prev" in numbers:
            later = numbers[f"d{state}_prev"]
            numbers[f"d{state}_next"] = np.concatenate([later[1:], np.zeros_like(later[:1])])
    numbers["dh"] = numbers["dh_t"] - numbers["dh_next"]
    return numbers


def line(cell, name, quantity, numbers):
    """The line of a quantity: the names that it gives, its source, place ("lstm.py:111"), equation and formula."""
    last, text = quantity.lines[-1], ""
    if last.place.startswith(cell.name):
        text = formula(last, numbers, cell.options.get("nonlinearity", "tanh"))
    return {
        "names": [part for part, _ in quantity._replace(symbol=name).parts()],
        "source": f"{name} = {OF_TOKENS[name]}" if name in OF_TOKENS else last.text,
        "place": last.place, "equation": last.equation, "formula": text,
    }  # fmt: skip


def parts(cell, numbers):
    """Packed name -> the quantities that lie side by side in it: xW_t -> xW_i, xW_f, xW_o, xW_c."""
    gates = GATES[cell.name]
    named = {stem: [f"{stem[:-2]}_{gate}" for gate in gates] for stem in ("xW_t", "hW_t", "a_t", "da_t")}
    named["dhW_t"] = ["da_r", "da_z", "dhWb_n"]
    return {name: among for name, among in named.items() if among and set(among) <= numbers.keys()}


def sources(listed, packed, numbers):
    """name -> [(what it is computed from, how many steps away)]; a_f reads xW_f of xW_t, and dh_prev all of da_t."""
    found = {name: read for name, read in AROUND.items() if name in numbers or name in OF_TOKENS}
    found["dx"] = [(name, 0) for name in packed.get("da_t", ["da_t"])]
    for row in [*listed["forward"], *listed["backward"]]:
        for name in row["names"]:
            reads = []
            for read in dict.fromkeys(re.findall(r"\{(\w+)", row["formula"])):
                among = packed.get(read, [read])
                reads += [part for part in among if part.endswith(name[name.rfind("_") :])] or among
            found.setdefault(name, [(read, 0) for read in reads if read in numbers])
    return found


def predictions(run, tokens, names):
    """For each t, the most probable tokens and the one that came: name, whether it came, logit, y, dlogit."""
    every = []
    for t, target in enumerate(tokens[1:]):
        columns = [array[t, 0] for array in (run.forward.logits, run.y, run.dlogits)]
        most = np.argsort(-columns[1], kind="stable")[:PROBABLE]
        shown = [*most, *([target] if target not in most else [])]
        every.append([[names[v], bool(v == target), *(float(column[v]) for column in columns)] for v in shown])
    return every


def proofs(prove_at, quantity, proved):
    """For each t None, or what the complex step gives (None for a number that was not moved alone), the largest error
    and whether it is rounding."""
    every = [None] * len(quantity.values)
    for t in proved:
        numeric, error, ok = prove_at(quantity, t, range(min(PROVED, quantity.values[t].size)))
        values = [None if np.isnan(value) else value for value in numeric[0].tolist()]
        every[t] = {"numeric": values, "error": error, "ok": ok}
    return every


def reach(model, inputs, targets, layer):
    """How far back the last prediction's gradient reaches, and by which path: {"total", "gates", "rest"}, T norms each,
    over the units, of this gradient with respect to c_t (h_t, without a cell state).

    The error carousel: ∂c_t/∂c_{t-1} along the cell state alone is f_t, so that dc_{T-1} times the forget gates of all
    later steps reaches t this way (in a GRU, dh_{T-1} times the update gates): "gates". The rest comes through h_t and
    the recurrent weights, once or more often. total = gates + rest holds for the vectors, not for their norms.
    """
    last = np.where(np.arange(len(targets))[:, None] == len(targets) - 1, targets, IGNORED)
    run = run_once(model, inputs, last)
    gradient, gate = CARRIED[model.cell.name]
    total = np.stack([getattr(step, gradient)[0] for step in run.layers[layer].steps])  # (T, H)
    gates = np.zeros_like(total)
    if gate:
        kept = np.stack([getattr(step, gate)[0] for step in run.forward.trace.layers[layer].steps])
        later = np.concatenate([kept[1:], np.ones_like(kept[:1])])
        gates = total[-1] * np.cumprod(later[::-1], axis=0)[::-1]
    found = {"total": total, "gates": gates, "rest": total - gates}
    return {name: np.linalg.norm(array, axis=1).tolist() for name, array in found.items()}


def weights(model, tokens, names):
    """The parameters, layer by layer, and the tokens to choose from."""
    layers = [model.layer_parameters(layer)._asdict() for layer in range(model.sizes.num_layers)]
    shared = {"E": model.parameters()["E"], "W_hy": model.output_matrix(), "b_y": model.parameters()["b_y"]}
    V = model.sizes.vocab_size
    choices = range(V) if V <= MOST_CHOICES else sorted(set(tokens.tolist()))
    every = [{name: in_base64(array) for name, array in part.items()} for part in (shared, *layers)]
    return {"weights": {"shared": every[0], "layers": every[1:]}, "choices": [[int(v), names[v]] for v in choices]}


def sliders(model):
    """knob and matrices: where a slider's weights lie, as (name of the array, its first column)."""
    H, letters = model.sizes.hidden_dim, GATES[model.cell.name]
    array, letter = KNOBS[model.cell.name]
    matrices = {"W_hh": ("W_hh", 0), "W_xh": ("W_xh", 0)}
    if letters:
        matrices = {f"{W}{gate}": (W, k * H) for W in ("W_h", "W_x") for k, gate in enumerate(letters)}
    return {"knob": (array, max(letters.find(letter), 0) * H), "matrices": matrices}
