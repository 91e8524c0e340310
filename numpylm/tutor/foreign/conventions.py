"""How other people write a recurrent network: for each convention a table of names, layouts and an example.

A parameter's name leads to its role (roles_of). The roles are the same in every convention:

    x  h_prev  c_prev      the input, and the states before it: of one step, or of a whole sequence
    W_x  W_h  b            the weights of all gates side by side; W_x:f, W_h:f, b:f those of one gate
    W  W:f                 W_x and W_h in one matrix, for the concatenation [h; x] or [x; h]
    W_y  b_y               the output layer
    W1                     b, W_x and W_h in one matrix, for the concatenation [1; x; h]
"""

import re
from typing import NamedTuple

from numpylm.tutor.process.sizes import size_of
from numpylm.tutor.process.stand_ins import LETTERS, TEXT


class Convention(NamedTuple):
    """about, in a line; pairs, forward's name -> (backward's name, cell, form); whether vectors are columns; the axes
    of a sequence; the order of packed gates; an example of a forward and its backward."""

    about: str
    pairs: dict
    columns: bool
    axes: str
    gates: str
    example: str


def pairs_of(step, step_backward, forward="{}_forward", backward="{}_backward", cells=("rnn", "lstm", "gru")):
    """The forwards of some cells, each with its backward, its cell, and whether it is a step or a sequence."""
    steps = {step.format(cell): (step_backward.format(cell), cell, "step") for cell in cells}
    return steps | {forward.format(cell): (backward.format(cell), cell, "sequence") for cell in cells}


CONVENTIONS = {
    "cs231n": Convention(
        "rows, x is (N, T, D), gates i f o g; a forward returns its cache",
        pairs_of("{}_step_forward", "{}_step_backward"), False, "ntd", "ifoc",
        "lstm_step_forward(x, prev_h, prev_c, Wx, Wh, b) -> next_h, next_c, cache\n"
        "lstm_step_backward(dnext_h, dnext_c, cache) -> dx, dprev_h, dprev_c, dWx, dWh, db",
    ),
    "coursera": Convention(
        "columns, x is (n_x, m, T_x); dicts of parameters and of gradients",
        pairs_of("{}_cell_forward", "{}_cell_backward"), True, "dnt", "ifoc",
        "lstm_cell_forward(xt, a_prev, c_prev, parameters) -> a_next, c_next, yt_pred, cache\n"
        "lstm_cell_backward(da_next, dc_next, cache) -> {'dxt': …, 'da_prev': …, 'dc_prev': …, 'dWf': …, 'dbf': …, …}",
    ),
    "min-char-rnn": Convention(
        "one function, columns, weights are globals; dQ is the gradient of the global Q",
        {}, True, "tdn", "ifoc",
        "lossFun(inputs, targets, hprev) -> loss, dWxh, dWhh, dWhy, dbh, dby, hs[len(inputs) - 1]",
    ),
    "classes": Convention(
        "a class with forward and backward; gradients in grads beside params, in attributes, or returned",
        {}, False, "ntd", "fcio",
        "LSTM(Wx, Wh, b).forward(x, h_prev, c_prev) -> h_next, c_next\n"
        "LSTM(Wx, Wh, b).backward(dh_next, dc_next) -> dx, dh_prev, dc_prev   (and self.grads)",
    ),
}  # fmt: skip

GATES = {  # the letters of a gate in a name such as W_f, W_xf or W_fx
    "lstm": {"i": "i u in input update", "f": "f forget", "o": "o out output",
             "c": "c cc g ctilde chat cand candidate z a ct gg cbar cell"},
    "gru": {"r": "r reset", "z": "z u update i", "n": "n h hh c g cand candidate htilde hhat hbar"},
}  # fmt: skip
USUAL = ("np", "numpy", "sigmoid", "softmax", "relu", "tanh")  # of stand_ins.py: what a file may lack
BEFORE = r"prev(i\w+)?|last|old|init|initial"  # before or after the name of a state
THEN = rf"({BEFORE}|pre|p|0|t1|tm1|tminus1|minus1|in|input)"
ROLES = {  # role -> names without capitals and underscores
    "h_prev": rf"({BEFORE})?(h|a|s|hidden)(state)?({THEN}(l?[0-9])?)?|(h|a|s)[1-9]{THEN}|hprevt|hx",
    "c_prev": rf"({BEFORE})?(c|cell)(state)?{THEN}?|cx",
    "x": r"hprevl|x|xt|xs|inputs?|xin|xinput",
    "W_x": r"kernel|wxh?|wax|u|wih|wxa|wxs|win(puts?)?|wi|wxhidden|whx",
    "W_h": r"recurrentkernel|wh|whh|waa|w|wss|wrec(urrent)?|wr|wha|whidden",
    "b": r"b|bh|ba|bias(es)?|bs|bhh|bx|bih|bxh|bw|b(ias)?h(id|idden)",
    "W_y": r"why|wya|wy|v|whq|wout|who|wv|wyh|wfc|woh?|wys|whiddenoutput",
    "b_y": r"by|bq|b(ias)?out(put)?|biasy|bv|bfc|bo",
    "states": r"memory|states?|hiddenstates|hc",
    "W1": r"wlstm",
    "parameters": r"parameters|params|weights|w(and)?biases|theta|param|p|model",
}
LIMIT = re.compile(r"clip|thresh|limit|max_?norm", re.I)  # in the name of a limit of the gradients
WORDS = {  # what else a parameter may be: plain names
    "rate": r"lr|eta|alpha|rate|stepsize|learn\w*rate",
    "cache": r"\w*caches?|ctx|saved|trace|activations|meta",
    "targets": r"t|ts|y|ys|y?gt|y(onehot|sent|batch|train|seq|sample)|(true)?output(s|seq\w*)"
    r"|\w*(target|label|true|expect|desired)\w*",
    "step": r"i|id|(t|time|step)?(idx|index)|timestep|step",
    "inputs": r"x|xs|xt|inp|(x|inputs?)(s|seq\w*|ids|data|batch|train|sample|vec\w*|emb\w*)?|data|sentence|tokens"
    r"|ids|seq\w*",
}

VALUES = (  # what a constructor's parameter may be that is neither a size nor a weight: part of its name, its value
    (r"i[dn]?x$|to_?i|index$", {letter: k for k, letter in enumerate(LETTERS)}),
    (r"^(i[dn]?x|index|id)_?(to|2)|vocab.|chars", dict(enumerate(LETTERS))),
    (r"path|file|fn$|name|dir", "a text that is not there"),
    (r"te?xt|data|corpus", TEXT),
    (r"epoch|iter|seed|layers$", 1),
    (r"drop|decay|lambda|reg|momentum|eps", 0.0),
    (r"activation", "tanh"),
    (r"^_?rng$|generator", {"from": ["np", "random"]}),
    (r"^opt", {"from": ["descent"]}),
)
FUNCTIONS = (  # the same where it is called: an activation, or half the squared error
    (r"(?=.*(loss|cost|err))(?=.*(d_|grad|deriv|prime))", {"from": ["np", "subtract"]}),
    (r"loss|cost|err", {"from": ["_half_squares"]}),
    (r"deriv|prime|slope|grad", {"from": ["_slope_of_tanh"]}),
    (r"^out", {"from": ["np", "positive"]}),
    (r"act|func|nonlin", {"from": ["tanh"]}),
)


def role_of(name):
    """The role that a name alone tells; None for none."""
    key = re.sub(r"^weights?(?=.)(?!s$)", "w", bare(name))
    return next((role for role, names in ROLES.items() if re.fullmatch(names, key)), None)


def number_of(name):
    """A size's slot, or 1 for a learning rate; None for another name."""
    word = word_of(name)
    return {"slot": word} if word.startswith("size") else 1.0 if word == "rate" else None


def global_for(name):
    """What a global is that the file has not made: a size, a learning rate, or a usual name; None for another."""
    number = {"slot": "size T"} if plain(name) == "timestep" else number_of(name)
    return {"from": [name]} if name in USUAL else number


def word_of(name):
    """What a parameter is, if not an array with a role: "size H", …, "rate", "cache", "targets" or "inputs"; or ""."""
    size, key = size_of(name), plain(name)
    words = [word for word, names in WORDS.items() if re.fullmatch(names, key)]
    return f"size {size}" if size and "rate" not in words else (words or [""])[0]


def plain(name):
    """A name without underscores, capitals and anything else but letters and digits."""
    return re.sub(r"[^a-z0-9]", "", name.removeprefix("self.").lower())


def bare(name):
    """A plain name without the cell's before it, as in lstm_Wx."""
    return re.sub(r"^(lstm|rnn|gru)(cell|layer)?\d*(?=.)", "", plain(name))


def gate_role(name, cell):
    """(role, whether a letter beside the gate's says x or h) of a name such as W_f, W_xf, W_fx or b_f; None if none."""
    gates = {alias: gate for gate, aliases in GATES.get(cell, {}).items() for alias in aliases.split()}
    letters = "|".join(sorted(gates, key=len, reverse=True))
    found = re.fullmatch(rf"(w|u|r|b|weights?|bias)([xhasi]?)({letters})([xhas]?)", bare(name)) if gates else None
    if not found:
        return None
    head, side = found[1][0].upper().replace("R", "U"), found[2] or found[4]
    part = "b" if head == "B" else head if not side else "W_x" if side in "xi" else "W_h"
    return f"{part}:{gates[found[3]]}", bool(side) and head != "B"


def roles_of(names, cell):
    """Name -> role, None where it is not known."""
    gated = {name: gate_role(name, cell) for name in names}
    every = [found or ("", False) for found in gated.values()]
    gated = {n: None if "out" in plain(n) and every.count(found) > 1 else found for n, found in gated.items()}
    first = {"lstm": "f", "gru": "z"}.get(cell, "-")
    told = {found for found in gated.values() if found and found[0].endswith(f":{first}")}
    is_split, is_gated = any(side for _, side in told), bool(told)
    is_short = cell == "gru" and is_gated and not any(role.endswith(":n") for role, _ in every)
    roles = {}
    for name, found in gated.items():
        role = role_of(name)
        if found and is_gated and found[1] <= is_split:
            role = found[0]
            if is_split and plain(name) in ("wh", "uh"):  # beside W_xz and W_hz: of the candidate
                role = "W_h:n"
        elif is_short and plain(name) in ("w", "u", "b"):
            role = f"{plain(name).upper().replace('B', 'b')}:n"  # the same beside W_z, U_z and b_z
        elif is_split and cell == "gru" and plain(name) == "wx":
            role = "W_x:n"
        roles[name] = role
    if any(role and role.startswith("U:") for role in roles.values()):  # W_f and U_f are W_x:f and W_h:f
        pair = {"W": "W_x", "U": "W_h"}
        roles = {n: re.sub(r"^[WU](?=:)", lambda m: pair[m.group()], r) if r else r for n, r in roles.items()}
    return corrected(roles, cell)


def corrected(roles, cell):
    """The roles of names that mean something else beside the others."""
    states = [plain(n).removeprefix("prev") for n, role in roles.items() if role == "h_prev"]
    if cell == "lstm" and any(n.startswith("h") for n in states):  # s beside h is c
        roles = {n: "c_prev" if r == "h_prev" and plain(n)[0] == "s" else r for n, r in roles.items()}
    if cell != "lstm" and {"b", "W_y"} <= {*roles.values()}:  # c is the bias beside V
        roles = {n: "b_y" if r == "c_prev" and plain(n) == "c" else r for n, r in roles.items()}
    if cell and "W_x" not in roles.values():  # W alone is for both
        roles = {n: "W" if r == "W_h" and plain(n) == "w" else r for n, r in roles.items()}
    return roles


def cell_of(name, names=()):
    """Which cell a function or class is of, by its name or by the names of its gates; "" if nothing says so."""
    found = next((cell for cell in ("lstm", "gru", "rnn") if cell in name.lower()), "")
    gates = {cell: {role for role in roles_of(names, cell).values() if role} for cell in GATES}
    told = {role.partition(":")[2] for role in gates["lstm"] if role.startswith("W")}
    if "f" in told and told & {"i", "o", "c"}:
        return "lstm"
    return "gru" if {"W:z", "W_x:z", "W_h:z"} & gates["gru"] else found
