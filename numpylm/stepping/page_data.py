"""What the page of `python -m numpylm step --html` shows, as data for JSON: the numbers of one walk, line by line.

An array is written as {"shape": …, "float64": base64 of its bytes}, so that the page has the very numbers of the walk.
N is 1: quantities of a step are (T, n), with n = H, or D for x and V for the logits.
"""

import base64
import inspect
import re

import numpy as np

from numpylm import affine, embedding, loss
from numpylm.notebook import equations_in
from numpylm.stepping.formulas import formula, names_in
from numpylm.stepping.reach import reach
from numpylm.stepping.walk import cell_function, parts_of, walk

MOST_PROVED = 300  # T H: up to here every gradient is proved; beyond, those of one step
MOST_WEIGHTS = 200_000  # up to here the page holds all parameters, and can compute with them
MOST_CHOICES = 200  # tokens to choose from
PROBABLE = 5  # predictions that are shown, besides the target
OF_TOKENS = {  # one entry for each token of the vocabulary; what they are, for their lines do not say it alone
    "logits": "h_t W_hy + b_y",
    "y": "softmax(logits)",
    "dlogits": "(y − 1 at the token that came) / T",
}
KNOBS = {"rnn": "b_h", "lstm": "b_f", "gru": "b_z"}  # the bias that a slider moves


def page_data(model, tokens, names, layer, at=None):
    """The data for a window of tokens (T + 1,). names are what to call each token of the vocabulary, by its id; at is the step to open the page at, and to prove in a large model."""
    T, H = len(tokens) - 1, model.sizes.hidden_dim
    inputs, targets = tokens[:-1, None], tokens[1:, None]  # (T, 1)
    walked = walk(model, inputs, targets, [layer], list(range(T)))
    forward, backward = by_name(walked.forward), by_name(walked.backward)
    if layer:
        del forward["x"]  # the walk's x is the embedding, which the lowest layer alone reads
    proved = range(T) if T * H <= MOST_PROVED else [at or 0]
    numbers = {name: stack(entries) for name, entries in {**forward, **backward}.items() if name not in OF_TOKENS}
    add_parts(numbers, forward, backward, T)
    return {
        "cell": model.cell.name, "relu": model.cell.options.get("nonlinearity") == "relu", "sizes": {"T": T, "D": model.sizes.embedding_dim, "H": H, "V": model.sizes.vocab_size},
        "layer": layer, "layers": model.sizes.num_layers, "loss": walked.loss, "at": at,
        "tokens": [names[token] for token in tokens], "ids": tokens.tolist(),
        "predictions": predictions(forward, backward, tokens, names), "surprisal": surprisal(forward["y"], tokens),
        "lines": lines(model, numbers, forward, backward),
        "numbers": {name: packed(array) for name, array in numbers.items()},
        "proofs": {name: proof(walked, entries, proved) for name, entries in backward.items()},
        "knob": KNOBS[model.cell.name], "reach": reach(model, inputs, targets, layer), **weights(model, tokens, names),
    }  # fmt: skip


def packed(array):
    """An array for JSON."""
    array = np.ascontiguousarray(array, dtype=np.float64)
    return {"shape": array.shape, "float64": base64.b64encode(array.astype("<f8").tobytes()).decode()}


def by_name(sections):
    """name -> its Entry at each t. x[3], logits[3] … are named without their index."""
    found = {}
    for section in sections:
        for entry in section.entries:
            if entry.symbol != "loss" and not (entry.symbol.startswith("d") and entry.packed):
                found.setdefault(entry.symbol.partition("[")[0], []).append(entry)
    backward = {name: entries for name, entries in found.items() if name.startswith("d")}
    for name, entries in backward.items():
        entries.sort(key=lambda entry: entry.place[2])
    return found


def stack(entries):
    """(T, n) of the entries at t = 0 to T - 1."""
    return np.stack([entry.value[0] for entry in entries])


def add_parts(numbers, forward, backward, T):
    """Add the gates of packed arrays, the gradients of T + 1 that step T - 1 reads (zeros), and dh of a lower layer."""
    for name, entries in forward.items():
        if entries[0].packed:
            parts = [dict(parts_of(entry)) for entry in entries]
            del numbers[name]
            numbers.update({part: np.stack([at_t[part][0] for at_t in parts]) for part in parts[0]})
    for state in ("h", "c"):
        if f"d{state}_prev" in numbers:
            from_next = numbers[f"d{state}_prev"][1:]
            numbers[f"d{state}_next"] = np.concatenate([from_next, np.zeros_like(numbers["dh_t"][:1])])
    if not np.array_equal(numbers["dh"] + numbers["dh_next"], numbers["dh_t"]):
        numbers["dh"] = numbers["dh_t"] - numbers["dh_next"]  # from the layer above
    del backward["dh"]


def surprisal(y, tokens):
    """-log2 of the probability of each token that came, (T,) bits."""
    return [-float(np.log2(entry.value[0, target])) for entry, target in zip(y, tokens[1:], strict=True)]


def predictions(forward, backward, tokens, names):
    """For each t, the most probable tokens and the one that came: name, whether it came, logit, y, dlogit."""
    every = []
    for t, target in enumerate(tokens[1:]):
        columns = [part[t].value[0] for part in (forward["logits"], forward["y"], backward["dlogits"])]
        most = np.argsort(-columns[1], kind="stable")[:PROBABLE]
        shown = [*most, *([target] if target not in most else [])]
        every.append([[names[v], bool(v == target), *(float(column[v]) for column in columns)] for v in shown])
    return every


def proof(walked, entries, proved):
    """For each t None, or the complex step's values (null where an entry was not moved alone) and the largest error."""
    every = []
    for t, entry in enumerate(entries):
        shown = [(0, k) for k in range(min(6, entry.value.size))]
        found = walked.prove(entry, shown) if t in proved else None
        numeric = [None if np.isnan(value) else value for value in found.numeric[0].tolist()] if found else []
        every.append(found and {"numeric": numeric, "error": float(found.error), "ok": found.ok})
    return every


def lines(model, numbers, forward, backward):
    """{"forward": …, "backward": …}: in the order of the computation, each line with what the page says of it."""
    cell = model.cell
    f = cell.options.get("nonlinearity", "tanh")
    places = {"forward": ("forward", "step"), "backward": ("backward", "step_backward")}
    meaning = {"f": f, "f_backward": f"{f}_backward"}
    found = {}
    for direction, entries in (("forward", forward), ("backward", backward)):
        functions = [cell_function(cell, name) for name in places[direction]]
        known = numbers.keys() | entries.keys() | {"x", "b", "dh", "da_t", "dhW_t"}
        rows = [
            line(name, e[0], functions, known, meaning)
            for name, e in entries.items()
            if not name.endswith("_prev") or name[0] == "d"
        ]
        found[direction] = [row for row in rows if row]
    return found


def line(name, entry, functions, known, meaning):
    """One line: the names that it gives, its source, file and line number, equation, formula, and what it reads."""
    source = entry.lines[-1]
    place, function = where(source, functions)
    assigned = source.partition(" ")[0].partition("[")[0].rstrip(",")
    text = formula(function, assigned, known, meaning) if function in functions else ""
    source = f"{name} = {OF_TOKENS[name]}" if name in OF_TOKENS else source
    return {
        "names": [part for part, _ in parts_of(entry)] if entry.packed else [name], "source": source.partition("  #")[0],
        "place": place, "equation": ", ".join(map(str, sorted(equations_in(source)))), "formula": text,
        "reads": names_in(text),
    }  # fmt: skip


def where(source, functions):
    """("lstm.py:118", the function) of a line of the source; ("", None) for what is none."""
    others = (
        embedding.embedding_forward,
        affine.affine_forward,
        affine.affine_backward,
        loss.cross_entropy_forward,
        loss.cross_entropy_backward,
    )
    for function in (*functions, *others):
        texts, first = inspect.getsourcelines(function)
        for k, text in enumerate(texts):
            if text.strip() == source:
                return (
                    f"{inspect.getsourcefile(function).replace(chr(92), '/').rpartition('/')[2]}:{first + k}",
                    function,
                )
    return "", None


def weights(model, tokens, names):
    """The parameters, layer by layer, and the tokens to choose from; nothing where they are too many for a page."""
    if sum(array.size for array in model.parameters().values()) > MOST_WEIGHTS:
        return {"weights": None, "choices": []}
    layers = [model.layer_parameters(layer)._asdict() for layer in range(model.sizes.num_layers)]
    shared = {"E": model.parameters()["E"], "W_hy": model.output_matrix(), "b_y": model.parameters()["b_y"]}
    V = model.sizes.vocab_size
    choices = range(V) if V <= MOST_CHOICES else sorted(set(tokens.tolist()))
    return {
        "weights": {
            **{name: packed(array) for name, array in shared.items()},
            "layers": [{name: packed(array) for name, array in layer.items()} for layer in layers],
        },
        "choices": [[int(v), names[v]] for v in choices],
    }
