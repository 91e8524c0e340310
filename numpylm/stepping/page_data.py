"""What the page of `python -m numpylm step --html` shows, as data for JSON: the numbers of one walk.

An array is written as {"shape": …, "float64": base64 of its bytes}, so that the page has the very numbers of the walk.
N is 1: a quantity is (T, n), with n = H, or D for x. Logits are there for the tokens that the page shows alone.
"""

import base64

import numpy as np

from numpylm.loss import surprisal
from numpylm.stepping.page_lines import OF_TOKENS, lines, parts, sources, uses
from numpylm.stepping.reach import reach
from numpylm.stepping.walk import GATES, parts_of, walk

MOST_PROVED = 300  # T H: up to here every gradient is proved; beyond, those of one step
MOST_WEIGHTS = 200_000  # up to here the page holds all parameters, and can compute with them
MOST_CHOICES = 200  # tokens to choose from
PROBABLE = 5  # predictions that are shown, besides the token that came
PROVED = 6  # numbers of a large array that are proved one by one
CARRIERS = {"rnn": "", "lstm": "the forget gates", "gru": "the update gates"}  # what carries a gradient along the state
KNOBS = {"rnn": ("b_h", ""), "lstm": ("b", "f"), "gru": ("b", "z")}  # the bias that a slider moves


def page_data(model, tokens, names, layer, at=None):
    """The data for a window of tokens (T + 1,).

    names are what to call each token of the vocabulary, by its id; at is the step to open the page at, which in a large
    model is the one whose gradients are proved.
    """
    T, sizes = len(tokens) - 1, model.sizes
    inputs, targets = tokens[:-1, None], tokens[1:, None]  # (T, 1)
    walked = walk(model, inputs, targets, [layer], list(range(T)))
    if not np.isfinite(walked.loss):
        raise ValueError(f"the model's loss on this text is {walked.loss}; a page shows finite numbers only")
    forward, backward = by_name(walked.forward), by_name(walked.backward)
    if layer:
        del forward["x"]  # the walk's x is the embedding, which the lowest layer alone reads
    numbers = numbers_of(forward, backward)
    listed, packed = lines(model.cell, numbers, forward, backward), parts(model.cell, numbers)
    found = sources(listed, packed, numbers)
    proved = range(T) if T * sizes.hidden_dim <= MOST_PROVED else [at or 0]
    return {
        "cell": model.cell.name, "relu": model.cell.options.get("nonlinearity") == "relu", "at": at,
        "sizes": {"T": T, "D": sizes.embedding_dim, "H": sizes.hidden_dim, "V": sizes.vocab_size},
        "layer": layer, "layers": sizes.num_layers, "loss": walked.loss, "ids": tokens.tolist(),
        "tokens": [names[token] for token in tokens],
        "predictions": predictions(forward, backward, tokens, names), "surprisal": bits(forward["logits"], tokens[1:]),
        "lines": listed, "parts": packed, "sources": found, "uses": uses(found),
        "numbers": {name: in_base64(array) for name, array in numbers.items()},
        "proofs": {name: proofs(walked, entries, proved) for name, entries in backward.items()},
        "carrier": CARRIERS[model.cell.name], "reach": reach(model, inputs, targets, layer),
        **weights(model, tokens, names), **sliders(model),
    }  # fmt: skip


def in_base64(array):
    """An array for JSON."""
    return {"shape": array.shape, "float64": base64.b64encode(np.ascontiguousarray(array, "<f8").tobytes()).decode()}


def by_name(sections):
    """name -> its Entry at each t. x[3], logits[3] … are named without their index; da_t is there as da_i, da_f …"""
    found = {}
    for entry in [entry for section in sections for entry in section.entries]:
        if entry.symbol != "loss" and not (entry.symbol.startswith("d") and entry.packed):
            found.setdefault(entry.symbol.partition("[")[0], []).append(entry)
    if "dh_t" in found:  # the backward pass: from the last step to the first
        found = {name: sorted(entries, key=lambda entry: entry.place[2]) for name, entries in found.items()}
    return found


def numbers_of(forward, backward):
    """name -> (T, n). Packed arrays gate by gate; dh_next and dc_next too, and dh, what reaches h_t from above.

    dh is taken out of backward, for it has no line of its own.
    """
    numbers = {}
    for name, entries in {**forward, **backward}.items():
        parts_at = [dict(parts_of(entry)) if entry.packed else {name: entry.value} for entry in entries]
        if name not in OF_TOKENS:
            numbers |= {part: np.stack([at_t[part][0] for at_t in parts_at]) for part in parts_at[0]}
    for state in ("h", "c"):
        if f"d{state}_prev" in numbers:
            later = numbers[f"d{state}_prev"]
            numbers[f"d{state}_next"] = np.concatenate([later[1:], np.zeros_like(later[:1])])
    if not np.array_equal(numbers["dh"] + numbers["dh_next"], numbers["dh_t"]):  # a lower layer
        numbers["dh"] = numbers["dh_t"] - numbers["dh_next"]
    del backward["dh"]
    return numbers


def bits(logits, targets):
    """The surprisal of each token that came, (T,) bits."""
    return [float(surprisal(entry.value, targets[[t]])[0] / np.log(2)) for t, entry in enumerate(logits)]


def predictions(forward, backward, tokens, names):
    """For each t, the most probable tokens and the one that came: name, whether it came, logit, y, dlogit."""
    every = []
    for t, target in enumerate(tokens[1:]):
        columns = [part[t].value[0] for part in (forward["logits"], forward["y"], backward["dlogits"])]
        most = np.argsort(-columns[1], kind="stable")[:PROBABLE]
        shown = [*most, *([target] if target not in most else [])]
        every.append([[names[v], bool(v == target), *(float(column[v]) for column in columns)] for v in shown])
    return every


def proofs(walked, entries, proved):
    """For each t None, or what the complex step gives (None for a number that was not moved alone), the largest error
    and whether it is rounding."""
    every = [None] * len(entries)
    for t in proved:
        shown = [(0, k) for k in range(min(PROVED, entries[t].value.size))]
        numeric, error, ok = walked.prove(entries[t], shown)
        values = [None if np.isnan(value) else value for value in numeric[0].tolist()]
        every[t] = {"numeric": values, "error": float(error), "ok": ok}
    return every


def weights(model, tokens, names):
    """The parameters, layer by layer, and the tokens to choose from; nothing where they are too many for a page."""
    if sum(array.size for array in model.parameters().values()) > MOST_WEIGHTS:
        return {"weights": None, "choices": []}
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
