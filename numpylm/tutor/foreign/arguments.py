"""What a forward, and then its backward, is called with: a value for the child of every parameter, by its name."""

import re

from numpylm.tutor.foreign.conventions import LIMIT, VALUES, global_for, number_of, plain, roles_of, word_of
from numpylm.tutor.foreign.losses import OUTPUTS
from numpylm.tutor.foreign.scopes import Unknown, is_weight, required

INCOMING = re.compile(  # the names of gradients that come in: no data, dim, dropout, device, …, no dict of them
    r"^(d(?!ata|im|rop|ev|ec|ict|type|epth|ir|o_|ebug|uration)|grad(?!ients?$|s$|s?_?(clip|norm|max|limit|check))"
    r"|delta|top_?h?_?diff|upstream|err"
    r"|(?!clip|max|use|need|comp|return|zero|check|num|norm|do_)\w*_(grad(ient)?|error|delta)$)",
    re.I,
)
STATE = re.compile(r"d_?(l_?d_?)?[hcas]|d_?next|d_?state|grad_?[hc]", re.I)  # gradients of states among them
TRUE = re.compile(r"target|label|true|expect", re.I)
PREDICTED = re.compile(r"pred|hat|prob", re.I)


def gradients_in(function):
    """The parameters that are gradients that come in: those without a default, if there are such; else the only one,
    of an unknown name that is not that of an output."""
    named = [name for name, kind, _ in function["parameters"] if INCOMING.match(name) and not kind.startswith("VAR")]
    known = {name: word_of(name) or roles_of([name], "")[name] for name in required(function)}
    alone = [name for name in known if not known[name] and plain(name) not in OUTPUTS]
    return [name for name in named if name in known] or named or alone * (len(known) == 1)


def is_with_targets(function):
    """Whether a backward is given targets, and gradients of the states after the step."""
    coming = gradients_in(function)
    names = [n for n in required(function) if n not in coming]
    return any(map(STATE.match, coming)) and any(word_of(n) == "targets" for n in names)


class Arguments:
    """The values of one forward and its backward. roles, incoming and globals grow as parameters are met.

    roles: slot -> role. incoming: gradients that come in. globals: name -> value of those that the file has not made.
    all_states: whether states before the first step are given where they may be left out.
    earlier: plain name -> path of what the forward returned, once it was called; returned: these names in order.
    objects: plain name -> name of globals that hold weights.
    """

    def __init__(self, functions, cell, form, roles, all_states=False):
        self.functions, self.cell, self.form, self.roles = functions, cell, form, roles
        self.all_states = all_states
        self.earlier, self.returned, self.incoming, self.globals = {}, [], [], {}
        self.weights, self.taken, self.objects = None, set(), {}

    def of(self, function, passed=None):
        """args and kwargs of a call: required parameters, and sizes, rates and limits that are not. Raises Unknown.

        passed: name -> path of what the file itself passes for some parameters.
        """
        names = required(function)
        roles = roles_of([*names, *self.roles], self.cell)
        passed = passed or {}
        args = [{"from": passed[n]} if n in passed else self.value(n, roles[n], function) for n in names]
        others = [n for n, _, has_default in function["parameters"] if has_default and self.form != "free"]
        optional = {n: 1e6 if LIMIT.search(n) else number_of(n) for n in others}
        if self.all_states and not self.earlier:
            states = {n: role for n, role in roles_of(others, self.cell).items() if role in ("h_prev", "c_prev")}
            optional |= {n: self.array(n, role, function) for n, role in states.items()}
        if self.form == "loss" and not self.earlier and "targets" not in self.taken:
            optional |= {n: self.sequence(n, None, function) for n in others if word_of(n) == "targets"}
        if self.earlier:
            optional |= {n: self.gradient(n, None, function) for n in others if n in gradients_in(function)}
            optional |= {n: self.weights for n in others if roles_of([n], self.cell)[n] == "parameters"}
        return {"args": args, "kwargs": {n: value for n, value in optional.items() if value is not None}}

    def value(self, name, role, function):
        """What one parameter is given, by the first rule that knows it. Raises Unknown."""
        if self.form == "free":
            return self.free(name)
        first = self.held, self.made, self.gradient, self.given_weights, self.sums
        for rule in (*first, self.memory, self.number, self.sequence, self.array):
            value = rule(name, role, function)
            if value is not None:
                return value
        raise Unknown(f"the check does not know what `{name}` is")

    def free(self, name):
        """What was given to the forward, its cache, or a gradient: the user has said which the others are."""
        if word_of(name) == "cache" and self.earlier:
            return {"from": self.earlier["cache"]}
        self.incoming += [name] if name not in self.roles else []
        return {"slot": name}

    def held(self, name, role, function):
        """A global of this name that holds the weights, such as the object `rnn`."""
        return {"from": [self.objects[plain(name)]]} if plain(name) in self.objects else None

    def made(self, name, role, function):
        """Something that the forward returned, or was given."""
        if role == "parameters" and self.weights is not None:
            return self.weights
        key, is_cache = plain(name), word_of(name) == "cache"
        others = [n for n in required(function) if n != name and PREDICTED.search(n)]
        is_true = word_of(name) == "targets" and others  # y beside y_pred
        parts = [plain(n) for n in function["unpacks"].get(name, ())]
        if parts and parts == self.returned:
            return {"from": ["made"]}  # all that the forward returned
        if is_cache or (key in self.earlier and not is_true):
            return {"from": self.earlier[key if key in self.earlier else "cache"]} if self.earlier else None
        outputs = [self.earlier[text] for text in OUTPUTS if text in self.earlier]
        outputs += [path for text, path in self.earlier.items() if text[:1] in "ypo"]
        outputs += [path for path in self.earlier.values() if len(path) == 1]  # all that it returned
        outputs += list(self.earlier.values())[1:2] if PREDICTED.search(name) else []  # the first that it returned
        told = [n for n in required(function) if n != name and TRUE.search(n)]
        is_output = bool(told) and word_of(name) == "targets" and not TRUE.search(name)  # y beside targets
        if outputs and (key in OUTPUTS[2:] or PREDICTED.search(name) or is_output):
            return {"from": outputs[0]}
        alike = [slot for slot in self.roles if role and self.roles[slot] == role and not is_weight(role)]
        slot = name if name in self.roles else "".join(alike[:1]) if len(name) > 1 else ""
        return {"slot": slot} if self.earlier and slot else None

    def gradient(self, name, role, function):
        """A gradient that comes in."""
        if name not in gradients_in(function) or (self.form == "loss" and not self.earlier):
            return None
        known = {*self.taken, *map(word_of, required(function))}
        is_zero = self.form == "loss" and bool(STATE.match(name)) and "targets" in known
        parts = function["unpacks"].get(name, [name])  # dh and dc in one
        self.incoming += [] if is_zero else parts
        slots = tuple({"slot": "zero" if is_zero else part} for part in parts)
        return slots if len(slots) > 1 else slots[0]

    def given_weights(self, name, role, function):
        """A dict or tuple of weights, by the keys that the function reads, or the names that it unpacks."""
        if role != "parameters":
            return None
        unpacked = function["unpacks"].get(name)
        inside = [function, *(self.functions[other] for other in function["reads"] if other in self.functions)]
        keys = [key for other in inside for key in other["keys"]]
        roles = roles_of(dict.fromkeys(unpacked or keys), self.cell)
        roles = {key: role for key, role in roles.items() if is_weight(role)}
        if self.weights is None and roles:
            self.roles |= roles
            slots = {key: {"slot": key} for key in roles}
            slots |= {key: number_of(key) for key in keys if key not in roles and number_of(key)}
            self.weights = tuple(slots.values()) if unpacked else slots
        if self.weights is None:
            raise Unknown("it reads no entry of its dict of parameters that the check knows")
        return self.weights

    def sums(self, name, role, function):
        """A dict of zeros, to which a backward adds its gradients."""
        if plain(name) not in ("grads", "gradients") or not isinstance(self.weights, dict) or "from" in self.weights:
            return None
        return {f"d{n}" if f"d{n}" in function["keys"] else n: {"zeros": n} for n in self.weights}

    def memory(self, name, role, function):
        """The state h, or (h, c), in one."""
        if role != "states":
            return None
        slots = ("h", "c") if self.cell == "lstm" else ("h",)
        self.roles |= {slot: f"{slot}_prev" for slot in slots}
        return tuple({"slot": slot} for slot in slots) if len(slots) > 1 else {"slot": "h"}

    def number(self, name, role, function):
        """A size, a learning rate of 1, the number of the first step; False for whether it is trained."""
        if "keep" in plain(name):  # of dropout: all
            return 1.0
        if re.match("drop(?!.*mask)", plain(name)):
            return 0.0
        if name == "V" and {"U", "W"} & set(required(function)):  # weights all
            return None
        tables = (value for names, value in VALUES[:2] if re.search("to|2|^chars$", name) and re.search(names, name))
        if self.form == "loss" and (table := next(tables, None)):  # char_to_ix
            return table
        is_letter = len(name) == 1 and name.isupper()
        if word_of(name) == "step" and self.form != "loss":
            return 0
        return None if role and self.form != "loss" and not is_letter else number_of(name)

    def sequence(self, name, role, function):
        """The inputs or the targets of a loss: by name, else the first that is left."""
        word = word_of(name)
        if self.form == "loss" and word in ("inputs", "targets") and (self.earlier or word not in self.taken):
            self.taken.add(word)
            return {"slot": word}
        return None

    def array(self, name, role, function):
        """A weight, a state or x, by its role; what has no known name is x, or what a loss still lacks, in this order:
        inputs, targets, the state before them."""
        if role and (role != "x" or self.form != "loss"):
            self.roles[name] = role
            return {"slot": name}
        if self.form != "loss" and not self.earlier and "x" not in self.roles.values():
            self.roles[name] = "x"
            return {"slot": name}
        others = {*self.taken, *map(word_of, required(function))}  # of names that say so
        free = [slot for slot in ("inputs", "targets") if slot not in others and self.form == "loss"]
        self.taken |= set(free[:1])
        known = {*self.roles.values(), *roles_of(required(function), self.cell).values()}
        is_state = not free and not self.earlier and not word_of(name) and "h_prev" not in known
        if is_state:  # beside both
            self.roles[name], free = "h_prev", [name]
        return {"slot": free[0]} if free else None

    def missing(self, functions):
        """Note the globals that functions read and that the file has not made, and learning rates."""
        taken = {n for function in functions for n in required(function)}  # a parameter of one, which another lacks
        names = {name for function in functions for name in function["missing"]}
        rates = {name for function in functions for name in function["reads"] if word_of(name) == "rate"}
        for name, role in roles_of(sorted(names | rates), self.cell).items():
            word = word_of(name)
            if word in ("inputs", "targets") and self.form == "loss":
                self.globals[name] = {"slot": word}
            elif global_for(name) is not None:
                self.globals[name] = global_for(name)
            elif is_weight(role) and name not in taken:
                self.roles[name], self.globals[name] = role, {"slot": name}
