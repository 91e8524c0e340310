"""How other people write a recurrent network: for each convention a table of names, layouts and an example.

A parameter's name leads to its role (role_of). The roles are the same in every convention:

    x  h_prev  c_prev      the input, and the states before it: of one step, or of a whole sequence
    W_x  W_h  b            the weights of all gates side by side; W_x:f, W_h:f, b:f those of one gate
    W  W:f                 W_x and W_h in one matrix, for the concatenation [h; x] or [x; h]
    W_y  b_y               the output layer
"""

import re
from typing import NamedTuple


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

GATE_NAMES = {  # what a gate's letters may be, in a name such as W_f
    "lstm": {"i": "i u in", "f": "f forget", "o": "o out", "c": "c cc g ctilde chat cand z a ct gg"},
    "gru": {"r": "r", "z": "z u", "n": "n h hh c g cand htilde hhat"},
}
ROLES = {  # names without capitals and underscores -> role
    "x": "x xt xs input inputs xin", "h_prev": "prevh hprev aprev h0 a0 h prevhidden hidden hstate a s sprev hinit",
    "c_prev": "prevc cprev c0 c cell prevcell cinit", "W_x": "wx wxh wax u wih wxa wxs win",
    "W_h": "wh whh waa w wss wrec",
    "b": "b bh ba bias bs", "W_y": "why wya wy v whq wout who wv wyh wfc", "b_y": "by bq bout biasy bv bfc",
    "parameters": "parameters params weights theta",
}  # fmt: skip
BY_NAME = {name: role for role, names in ROLES.items() for name in names.split()}


def plain(name):
    """A name without underscores, capitals and anything else but letters and digits."""
    return re.sub(r"[^a-z0-9]", "", name.lower())


def role_of(name, cell, has_gates=False):
    """The role of a parameter, global or attribute of this name; None where it is not known.

    has_gates: whether others of the names are those of gates: then a GRU's W_h is the weight of its candidate.
    """
    name = plain(name.removeprefix("self."))
    gates = {alias: gate for gate, aliases in GATE_NAMES.get(cell, {}).items() for alias in aliases.split()}
    found = re.fullmatch(r"(wx|wh|ux|uh|wa|w|u|bx|b)([a-z]+)", name)
    is_candidate = cell == "gru" and has_gates and name in ("wh", "bh", "uh")
    if name in BY_NAME and not is_candidate:
        return BY_NAME[name]
    if found and found[2] in gates:
        part = {"wx": "W_x", "ux": "W_x", "wh": "W_h", "uh": "W_h", "wa": "W_h", "u": "U", "w": "W"}.get(found[1], "b")
        return f"{part}:{gates[found[2]]}"
    return None


def roles_of(names, cell):
    """Name -> role. Where there are W_f and U_f, these are W_x:f and W_h:f, and not one matrix for both."""
    has_gates = any(role_of(name, cell) in ("W:z", "U:z", "W_x:z", "b:z") for name in names)
    roles = {name: role_of(name, cell, has_gates) for name in names}
    if any(role and role.startswith("U:") for role in roles.values()):
        pair = {"W": "W_x", "U": "W_h"}
        roles = {n: re.sub(r"^[WU](?=:)", lambda m: pair[m.group()], r) if r else r for n, r in roles.items()}
    return roles
