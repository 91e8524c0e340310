"""Finds, in what a file holds, forwards and their backwards, and how to call them: a list of Units.

A parameter is known by its name: an input, a state, a weight, a gradient that comes in, or something that the forward
returned under this name. Whatever looks like a backward and is not understood is named with the reason.
"""

import re
from typing import NamedTuple

from numpylm.tutor.conventions import CONVENTIONS, ROLE_OF, WORD_OF, cell_of, plain, roles_of
from numpylm.tutor.losses import OUTPUTS
from numpylm.tutor.scopes import SIZES, WEIGHTS, Unknown, class_scope, file_scope, required

BACKWARD = re.compile(r"backward|back_?prop|bptt|loss_?fun|backpass|bprop|compute_?grad|top_diff|forward_?back", re.I)
FORWARD = re.compile(r"forward|feed_?forward|fprop|forprop|^run$|^predict|bottom_data", re.I)
INCOMING = re.compile(
    r"^(d(?!ata|im|rop|ev|ec|ict|type|epth|ir|ebug|uration)|grad(?!ients?$|s$)|delta|top_?diff|upstream|err)", re.I
)
PAIRS = (("backward", "forward"), ("backprop", "forwardprop"), ("back_prop", "forward_prop"), ("bprop", "fprop"),
         ("back", "for"), ("Backward", "Forward"), ("backward", "feedforward"), ("grad", "loss"), ("backward", "loss"))  # fmt: skip
STYLES = tuple(
    (one, other)
    for one in ("ids", "columns", "matrix", "array", "three", "batch", "first", "vectors")
    for other in dict.fromkeys((one, "ids", "array"))
)


class Unit(NamedTuple):
    """A forward and its backward, as programs for the child.

    cells and forms ("step", "sequence", "loss", "free") are those that it may have, the likeliest first. roles: slot ->
    role, of everything that the forward is given; None for an array that is only differentiated. shapes: of those slots
    that have one in the file. forward and backward are steps (runner.py) whose slots are these, "inputs" and "targets",
    and incoming: the gradients that come in. outputs: where the forward's values are. texts name what the backward
    returns. places: slot -> path of a weight; snapshot: the path of an object that may hold gradients.
    """

    name: str
    forward_name: str
    convention: str
    cells: tuple
    forms: tuple
    roles: dict
    forward: list
    backward: list | None
    shapes: dict = {}  # noqa: RUF012 - never changed
    incoming: tuple = ()
    outputs: list = [["made"]]  # noqa: RUF012 - never changed
    named: tuple = ()  # what the forward returns
    texts: tuple = ()
    places: dict = {}  # noqa: RUF012 - never changed
    snapshot: tuple = ()
    free: tuple = ()  # alternatives of slot -> shape
    is_usual: bool = False  # whether it has the names of a course, and so its shapes

    @property
    def program(self):
        """The steps of the forward and the backward."""
        return self.forward if self.forward_name == self.name else [*self.forward, *self.backward]

    @property
    def gradients(self):
        """The gradients of states that come in: that of h before that of c."""
        return [n for n in in_order(self.incoming) if rank(n) < 2]

    @property
    def has_targets(self):
        """Whether the backward, or the loss function, is given targets."""
        return "'targets'" in str([*self.forward, *(self.backward or [])])


def rank(name):
    """0 for the gradient of h, 1 for that of c, 2 for that of an output."""
    key = plain(name)
    if key in ("dz", "dy", "dlogits", "dyt", "dout"):
        return 2 * (key != "dout")
    return int(key.startswith(("dc", "dnextc", "topdiffs")) or key.endswith("c") or key == "ds")


def in_order(incoming):
    """The gradients that come in: that of h before that of c, and those of outputs last."""
    return sorted(incoming, key=rank)


def find_units(contents, taken, child, convention=None):
    """(units, name -> why it is not checked) of what is not among the names already taken."""
    units, refused, covered = [], {}, set(taken)
    scopes = [lambda: file_scope(contents)]
    for kind, methods in contents["classes"].items():
        names = [n for f in methods.values() for n in f["reads"]]
        scopes.append(lambda kind=kind, names=names: class_scope(contents, kind, child, cell_of(kind, names)))
    for make, kind in zip(scopes, ["", *contents["classes"]], strict=True):
        methods = contents["classes"].get(kind, {}) if kind else file_scope(contents).functions
        pairs = list(pairs_in(methods, kind, convention))
        try:
            scope = make() if pairs else None
        except Unknown as why:
            refused |= {dotted(kind, backward or forward): str(why) for forward, backward, _ in pairs}
            continue
        for forward, backward, known in pairs:
            name = dotted(kind, backward or forward)
            if name in taken:
                continue
            try:
                unit = unit_of(contents, scope, forward, backward, known)
            except Unknown as why:
                refused[name] = str(why)
                continue
            units.append(unit)
            covered |= {dotted(kind, n) for n in called(methods, backward or forward)}
    if contents["script"] and not units and not refused:
        refused["the loop at the top level"] = "only functions are checked: put its forward and its backward into two"
    return units, {name: why for name, why in refused.items() if name not in covered}


def dotted(kind, name):
    """A method's full name; a function's own."""
    return f"{kind}.{name}" if kind else name


def called(functions, name, seen=None):
    """The names of all functions of a scope that one calls, directly or not."""
    seen = set() if seen is None else seen
    for other in functions[name]["reads"] if name in functions else []:
        if other in functions and other not in seen:
            seen.add(other)
            called(functions, other, seen)
    return seen


def pairs_in(functions, kind, convention=None):
    """(forward or None, backward or None, (convention, cell, form) or None) of all that looks like a backward."""
    found = {}
    for style, table in CONVENTIONS.items() if convention is None else [(convention, CONVENTIONS[convention])]:
        for forward, (backward, cell, form) in {} if kind else table.pairs.items():
            name = backward if backward in functions else forward
            if forward in functions and name not in found and is_usual(functions[forward], functions.get(backward)):
                found[name] = forward, backward if backward in functions else None, (style, cell, form)
    for name, function in functions.items():
        gradients = [text for text in function["returns"] if re.match(r"d|grad", plain(text))]
        is_loss = bool(function["returns"]) and re.search(r"loss|cost|error", function["returns"][0], re.I)
        if name in found or not function["parameters"] or not (BACKWARD.search(name) or (is_loss and len(gradients) > 1)):
            continue
        words = [WORD_OF.get(plain(n), ROLE_OF.get(plain(n), "?")) for n in required(function)]
        is_whole = is_loss and (gradients or not set(words) & {"cache", "?"})
        found[name] = None if is_whole else forward_of(functions, name), name, None
    if kind and not found:
        found = {n: (None, n, None) for n in functions if re.fullmatch(r"train_?step|fit_?step|train_on\w*", n)}
    lone = [
        n
        for n in found
        if found[n][1] is None and any(n in (f, *called(functions, b)) for f, b, _ in found.values() if b)
    ]
    return [found[name] for name in found if name not in lone]


def is_usual(forward, backward):
    """Whether a pair of well-known names is called in the usual way: with a cache, and without targets."""
    words = [WORD_OF.get(plain(n)) for n in required(forward)]
    return ("targets" not in words[1:]) and (backward is None or len(required(backward)) < 4)


def forward_of(functions, backward):
    """The forward of a backward: by its name, by what it calls, or the only one there is."""
    for old, new in PAIRS:
        if old in backward and backward.replace(old, new) in functions and old != new:
            return backward.replace(old, new)
    inside = [n for n in functions if n in called(functions, backward) and FORWARD.search(n)]
    others = inside or [n for n in functions if FORWARD.search(n) and not BACKWARD.search(n)]
    return max(others, key=lambda n: len(called(functions, n)), default=None)


def unit_of(contents, scope, forward, backward, known):
    """The Unit of a forward and a backward. Raises Unknown."""
    functions = scope.functions
    first, second = functions.get(forward), functions.get(backward)
    names = [n for f in (first, second) if f for n in (*required(f), *keys_of(functions, f), *reads(functions, f))]
    cell = known[1] if known else cell_of(f"{scope.name} {backward}", [*names, *scope.roles, *scope.given])
    form = form_of(scope, first, second, known)
    if form == "layer":
        return layer_unit(scope, forward, backward)
    given = [n for f in (first, second) if f for n in required(f) if ROLE_OF.get(plain(n)) == "parameters"]
    roles, shapes = used_weights(scope, [] if given else names, cell, form)
    roles |= scope.given if cell != "gru" else roles_of(scope.given, cell)
    binding = Binding(scope, cell, form, roles, {}, [])
    binding.missing(first, second)
    sets = [{"set": scope.places[n], "value": {"slot": n}} for n in roles if n in scope.places]
    sets += [{"set": [n], "value": value} for n, value in binding.globals.items()]
    steps, texts = [*scope.make, *sets], tuple(first["names"]) if first else ()
    if first:
        steps.append({"call": [*scope.holder, forward], "to": "made"} | binding.values(first))
        inner = [re.sub(r"^[\w.]+\((\w+)\)$", r"\1", text) for text in texts]  # np.array(y_seq) is y_seq
        binding.earlier = {plain(text): ["made", k] if len(texts) > 1 else ["made"] for k, text in enumerate(inner)}
        binding.earlier["cache"] = ["made", len(texts) - 1] if len(texts) > 1 else ["made"]
    last = [{"call": [*scope.holder, backward]} | binding.values(second)] if second else None
    outputs = [["made"]] if first else [["returned"]]
    if not texts and first and scope.holder == ["object"]:
        outputs = [["object", "__dict__"]]
    roots = {path[0] for name, path in scope.places.items() if name in roles and len(path) > 1 and not scope.holder}
    is_told = known is not None or (cell and (cell != "rnn" or "W_y" in roles.values()))
    forms = (form,) if form != "state" else ("step", "sequence") if "h_prev" in roles.values() else ("sequence", "step")
    kind = known[0] if known else "classes" if scope.holder else "min-char-rnn" if form == "loss" else "cs231n"
    kind = "coursera" if "parameters" in [ROLE_OF.get(plain(n)) for n in required(first or second)] else kind
    return Unit(
        dotted(scope.name, backward or forward), dotted(scope.name, forward or backward), kind,
        (cell,) if is_told else tuple(dict.fromkeys([cell or "rnn", "rnn", "lstm", "gru"])), forms, roles,
        steps if first else [*steps, *last], last, shapes, tuple(binding.incoming), outputs, texts,
        tuple(second["returns"]) if second else (), {n: scope.places[n] for n in roles if n in scope.places},
        ("object", "__dict__") if scope.holder == ["object"] else tuple(roots)[:1], is_usual=known is not None,
    )  # fmt: skip


def used_weights(scope, names, cell, form):
    """(slot -> role, slot -> shape) of the weights in the scope that some functions read."""
    if scope.holder == ["object"]:
        return dict(scope.roles), {n: scope.shapes[n] for n in scope.roles}
    found = {n: r for n, r in roles_of([n for n in scope.places if n in names], cell).items() if r != "x"}
    found = {n: "b_y" if r == "c_prev" else r for n, r in found.items()}
    found = {n: r for n, r in found.items() if r is None or r.partition(":")[0] in WEIGHTS}
    found = {} if (form == "state" and not any(found.values())) else found
    return found, {n: scope.shapes[n] for n in found}


def form_of(scope, first, second, known):
    """Whether the backward is given targets ("loss"), or gradients of states ("state"), or has no time ("layer")."""
    if known:
        return known[2]
    earlier = {plain(text) for text in (first or {}).get("names", ())}
    coming = [n for n in required(second) if plain(n) not in earlier and INCOMING.match(n)]
    weights = {role for role in (*scope.given.values(), *scope.roles.values())}
    if first and scope.given and {plain(n) for n in scope.given} <= {"w", "b"}:
        return "layer"
    if (
        first
        and scope.holder == ["object"]
        and not {str(r).partition(":")[0] for r in weights} & {"W_h", "W_x", "W", "U"}
    ):
        if len(required(first)) == 1 and coming or len(required(first)) == 2 and not required(second):
            return "layer"
    if not coming or not first:
        return "loss"
    states = [n for n in required(first) if ROLE_OF.get(plain(n)) in ("h_prev", "c_prev", "states")]
    has_output = "W_y" in weights or re.match(r"d_?y|dlogits|d_?out|d_?l_?d_?y", coming[0], re.I)
    return "loss" if has_output and not states and scope.holder == ["object"] and not scope.given else "state"


def reads(functions, function):
    """The names that a function, and those that it calls, read."""
    found = list(function["reads"])
    for name, other in functions.items():
        found += other["reads"] if name in function["reads"] and other is not function else []
    return found


def keys_of(functions, function, seen=()):
    """The keys that a function, and those that it calls, read from dicts."""
    keys = list(function["keys"])
    for name in function["reads"]:
        if name in functions and name not in seen:
            keys += keys_of(functions, functions[name], (*seen, name))
    return keys


class Binding:
    """What the parameters of a forward, and then of its backward, are given. roles and incoming grow on the way."""

    def __init__(self, scope, cell, form, roles, earlier, incoming):
        self.scope, self.cell, self.form, self.roles = scope, cell, form, roles
        self.earlier, self.incoming, self.slots, self.globals, self.keys = earlier, incoming, set(), {}, {}

    def missing(self, *functions):
        """Note the globals that the functions read and that the file has not made."""
        every = self.scope.functions
        for name in {n for f in functions if f for n in f["reads"]}:
            if WORD_OF.get(plain(name)) == "rate" and self.scope.holder != ["object"] and name not in every:
                self.globals[name] = 1.0
        names = {
            n
            for f in functions
            if f
            for other in (f, *(every[o] for o in f["reads"] if o in every))
            for n in other["missing"]
        }
        roles = roles_of(names, self.cell)
        for name in sorted(names):
            word = WORD_OF.get(plain(name), "")
            if word in ("inputs", "targets") and self.form == "loss" or word.startswith("size"):
                self.globals[name] = {"slot": word}
            elif word == "rate":
                self.globals[name] = 1.0
            elif roles[name] and roles[name].partition(":")[0] in WEIGHTS:
                self.roles[name] = roles[name]
                self.globals[name] = {"slot": name}

    def values(self, function):
        """args and kwargs of a call: every required parameter, and learning rates. Raises Unknown."""
        names = required(function)
        roles = roles_of([*names, *self.roles], self.cell)
        args = [self.value(name, roles[name], function) for name in names]
        optional = {n: WORD_OF.get(plain(n), "") for n, _, has_default in function["parameters"] if has_default}
        sizes = {n: {"slot": word} for n, word in optional.items() if word.startswith("size")}
        return {"args": args, "kwargs": sizes | {n: 1.0 for n, word in optional.items() if word == "rate"}}

    def value(self, name, role, function):
        """What one parameter is given."""
        key, word = plain(name), f"size {name}" if name in SIZES else WORD_OF.get(plain(name), "")
        is_made = bool(re.search(r"pred|hat|prob", name.lower()))
        has_made = any(re.search(r"pred|hat|prob", n.lower()) for n in required(function))
        if key in self.earlier and key != "cache" and not (word == "targets" and has_made and not is_made):
            return {"from": self.earlier[key]}
        if word == "cache" and self.earlier:
            return {"from": self.earlier["cache"]}
        outputs = [self.earlier[key] for key in OUTPUTS if key in self.earlier]
        if (key in OUTPUTS[2:] or is_made) and not outputs and self.earlier:
            outputs = [path for text, path in self.earlier.items() if text[:1] in ("y", "p", "o")]
        if (key in OUTPUTS[2:] or is_made) and outputs:
            return {"from": outputs[0]}
        if self.earlier and name in self.roles:
            return {"slot": name}
        if (
            INCOMING.match(name)
            and self.form != "loss"
            or (self.form == "loss" and INCOMING.match(name) and self.earlier)
        ):
            self.incoming.append(name)
            return {"slot": name}
        if role == "parameters":
            return self.parameters(name, function)
        if role == "states":
            states = {"h": "h_prev", "c": "c_prev"} if self.cell == "lstm" else {"h": "h_prev"}
            self.roles |= states
            return tuple({"slot": slot} for slot in states) if len(states) > 1 else {"slot": "h"}
        if word.startswith("size") and not (role and self.form != "loss" and name not in SIZES):
            return {"slot": word}
        if word == "rate":
            return 1.0
        if self.form == "loss" and word in ("inputs", "targets") and word not in self.slots | set(self.slots):
            self.slots.add(word)
            return {"slot": word}
        if self.form == "loss" and self.earlier and word in ("inputs", "targets"):
            return {"slot": word}
        if role and role != "x":
            self.roles[name] = role
            return {"slot": name}
        if role == "x" and self.form != "loss":
            self.roles[name] = role
            return {"slot": name}
        if self.form != "loss" and not self.earlier and "x" not in self.roles.values():
            self.roles[name] = "x"
            return {"slot": name}
        free = [slot for slot in ("inputs", "targets") if slot not in self.slots] if self.form == "loss" else []
        if not free:
            raise Unknown(f"the check does not know what `{name}` is")
        self.slots.add(free[0])
        return {"slot": free[0]}

    def parameters(self, name, function):
        """A dict of weights, by the keys that the function reads."""
        unpacked = function["unpacks"].get(name)
        keys = dict.fromkeys(unpacked or keys_of(self.scope.functions, function))
        roles = {
            key: role for key, role in roles_of(keys, self.cell).items() if role and role.partition(":")[0] in WEIGHTS
        }
        if self.keys:
            return self.keys
        if not roles:
            raise Unknown("it reads no entry of its dict of parameters that the check knows")
        self.roles |= roles
        self.keys = {key: {"slot": key} for key in roles}
        if unpacked:
            self.keys = tuple(self.keys.values())
        return self.keys


def layer_unit(scope, forward, backward):
    """The unit of an object without time that is made from a weight and a bias, or from nothing: y = f(x).

    f(x, targets) is a loss, whose backward is given 1 or nothing.
    """
    (x, *others), coming = required(scope.functions[forward]), required(scope.functions[backward])
    is_loss = [WORD_OF.get(plain(n)) for n in others] == ["targets"] and not coming
    if (others or len(coming) != 1) and not is_loss or not {plain(n) for n in scope.given} <= {"w", "b"}:
        raise Unknown(f"the check does not know what to give {scope.name}.{backward}({', '.join(coming)})")
    call = {"call": ["object", forward], "args": [{"slot": n} for n in (x, *others)], "kwargs": {}, "to": "made"}
    back = {"call": ["object", backward], "args": [{"slot": n} for n in coming], "kwargs": {}}
    shapes = layer_shapes(x, list(scope.given))
    if is_loss:
        shapes = tuple({x: (*N, 6), others[0]: ("tokens", 6, *N)} for N in ((2,), (2, 4)))
    return Unit(
        dotted(scope.name, backward), dotted(scope.name, forward), "classes", ("rnn",), ("free",),
        {x: "x"} | dict.fromkeys(scope.given, "x"), [*scope.make, call], [back], incoming=tuple(coming),
        texts=(f"d{x}",), snapshot=("object", "__dict__"), free=shapes,
    )  # fmt: skip


def layer_shapes(x, weights):
    """The shapes that a layer may take: x (N, D), (T, N, D), or tokens; W (D, H), b (H,)."""
    shapes = {n: (3, 5) if plain(n) == "w" else (5,) for n in weights}
    tables = dict.fromkeys(weights, (6, 5))
    return {x: (2, 3)} | shapes, {x: (4, 2, 3)} | shapes, {x: ("tokens", 6, 4, 2)} | tables


def free_unit(contents, forward, backward, alternatives):
    """The unit of any forward and backward, with one or more sets of shapes for the forward's parameters."""
    from difflib import get_close_matches

    for name in (forward, backward):
        if name not in contents["functions"]:
            close = get_close_matches(name, contents["functions"], 1)
            raise ValueError(f"there is no function {name} in the file{f'; did you mean {close[0]}?' if close else ''}")
    first, second = contents["functions"][forward], contents["functions"][backward]
    missing = [name for name in required(first) if name not in alternatives[0]]
    if missing:
        known = " ".join(f"{name}=3,4" for name in required(first))
        raise ValueError(f'--shapes must give {", ".join(missing)}, the parameters of {forward}: --shapes "{known}"')
    names, texts = required(first), tuple(first["names"])
    cache = {"from": ["made", len(texts) - 1] if len(texts) > 1 else ["made"]}
    coming = [n for n in required(second) if n not in names and WORD_OF.get(plain(n)) != "cache"]
    given = {n: {"slot": n} if n in (*coming, *names) else cache for n in required(second)}
    return Unit(
        backward, forward, "named by you", ("rnn",), ("free",), dict.fromkeys(names, "x"),
        [{"call": [forward], "args": [{"slot": n} for n in names], "kwargs": {}, "to": "made"}],
        [{"call": [backward], "args": list(given.values()), "kwargs": {}}], incoming=tuple(coming), named=texts,
        texts=tuple(second["returns"]), free=tuple(alternatives), is_usual=True,
    )  # fmt: skip
