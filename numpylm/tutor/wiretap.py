"""One run of a backward function of ours, with every gradient that it assigns shown, and changeable, on the way.

The function is compiled anew, from its own source, with a tap after each line that assigns a gradient: a call that
hands the value to whoever listens, and puts what is handed back in its place. Moving one line's value and looking at
what comes out tells which results the line reaches, and how: a backward pass is linear in the gradients that come in,
so that one entry's unit change is one column of an exact Jacobian.
"""

import ast
import re
from functools import cache
from typing import NamedTuple

import numpy as np

from numpylm.tutor.mistakes import MODULES, faulty_function, named_gradients, rebuilt, source_of
from numpylm.tutor.mistakes_library import mistakes_in


class Line(NamedTuple):
    """One quantity that a line of our source assigns; order is its place in the source."""

    function: str
    order: int
    quantity: str
    equation: str
    source: str


class Wiretap:
    """One run of a function of ours: everything that it returns, and every gradient that it assigns on the way.

    moved, (line, directions), adds something to what one line assigns, call by call; right is then what the line had.
    beyond makes more of the function's results, name -> array, which may be claimed too: a step's dx_t, dW_x, …
    trusted names functions that are known to be right: nothing in them is suspected.
    """

    def __init__(self, function, inputs, moved=None, beyond=None, trusted=()):
        self.function, self.inputs, self.moved, self.beyond = function, inputs, moved, beyond
        self.trusted = frozenset(trusted)
        self.lines, tapped, listener = tapped_function(function)
        self.values, self.arguments, self.right = {}, {}, []
        self._reach, self._jacobians, self._faulty = {}, {}, {}
        listener.append(self._hear)
        try:
            self.outputs = self._with_more(named_gradients(tapped(**inputs), function))
        finally:
            listener.clear()
        self.truth = {**self._intermediates(), **self.outputs}

    def _with_more(self, gradients):
        return {**gradients, **(self.beyond(gradients) if self.beyond else {})}

    def _by_gate(self, gradients):
        """Each gate's da_i, da_f, … of da_t, which a step's record packs."""
        gates = [name for name in self.truth if re.fullmatch("da_[ifocrzn]", name)] if "da_t" in gradients else []
        order = sorted(gates, key=lambda name: "ifocrzn".index(name[-1]))
        return dict(zip(order, np.split(gradients["da_t"], len(order), axis=-1), strict=True)) if order else {}

    def again(self, line, directions):
        """The same run with one line's values moved."""
        return Wiretap(self.function, self.inputs, (line, directions), self.beyond, self.trusted)

    @property
    def suspected(self):
        """Line -> its values, call by call, of the functions that are not trusted."""
        return {line: values for line, values in self.values.items() if line.function not in self.trusted}

    def _hear(self, key, value):
        if isinstance(key, str):
            self.arguments.setdefault(key, []).append(value)
        elif isinstance(value, np.ndarray):
            line = self.lines[key]
            if self.moved and self.moved[0] is line:
                self.right.append(value.copy())
                value = value + self.moved[1][len(self.right) - 1]
            self.values.setdefault(line, []).append(value.copy())
        return value

    def moving(self, line, directions):
        """How all that can be claimed changes when a line's values are moved: name -> array."""
        other = self.again(line, directions)
        return {name: array - self.truth[name] for name, array in other.truth.items()}

    def reach(self, line):
        """Name -> how all that can be claimed changes when a line's values are moved at random: 0 where it cannot."""
        if line not in self._reach:
            rng = np.random.default_rng(0)
            self._reach[line] = self.moving(line, [rng.standard_normal(value.shape) for value in self.values[line]])
        return self._reach[line]

    def jacobian(self, line):
        """Name -> (size, entries) of how each entry of a line's values moves everything that can be claimed."""
        if line not in self._jacobians:
            columns = [self.moving(line, unit) for unit in units(self.values[line])]
            self._jacobians[line] = {
                name: np.stack([column[name].ravel() for column in columns], axis=1) for name in columns[0]
            }
        return self._jacobians[line]

    def faulty(self):
        """Mistake -> what it makes of the inputs, for each entry of the library that can be made on them."""
        if not self._faulty:
            for mistake in mistakes_in(self.function):
                try:
                    with np.errstate(all="ignore"):
                        result = named_gradients(faulty_function(mistake, self.function)(**self.inputs), self.function)
                        self._faulty[mistake] = self._with_more({**result, **self._by_gate(result)})
                except (ValueError, TypeError, IndexError, AttributeError):
                    continue
        return self._faulty

    @property
    def is_sequence(self):
        """Whether the function goes over a whole sequence, step by step."""
        return "trace" in self.inputs and "dh" in self.inputs

    def _intermediates(self):
        """Name -> array of the step's intermediates: of one step, or of all steps in the order of time, (T, N, ·)."""
        given = {key.split()[1]: calls for key, calls in self.arguments.items() if "step_backward d" in key}
        steps = {**given, **{line.quantity: calls for line, calls in self.values.items() if "step" in line.function}}
        return {name: np.stack(calls[::-1]) if self.is_sequence else calls[0] for name, calls in steps.items()}

    def scale(self, name):
        """The size that rounding of one gradient is measured by."""
        return max(np.abs(self.truth[name]).max(initial=0), 1e-300)

    def line_of(self, name):
        """The last line that assigns a quantity; a sequence's dh_0 and dc_0 are the last dh_next and dc_next."""
        quantity = {"dh_0": "dh_next", "dc_0": "dc_next"}.get(name, name)
        lines = [line for line in self.lines if line.quantity == quantity and line.function not in self.trusted]
        return lines[-1] if lines else self.lines[-1]


def units(values):
    """One direction for every entry of a line's values: one there, zero elsewhere."""
    for call, value in enumerate(values):
        for entry in range(value.size):
            direction = [np.zeros_like(other) for other in values]
            direction[call].flat[entry] = 1
            yield direction


@cache
def tapped_function(function):
    """(lines, the function that shows each one's value, the list that holds the one who listens)."""
    lines, listener, sources = [], [], {}
    for name in (function, f"{function.removesuffix('_backward')}_step_backward"):
        if name in MODULES:
            sources[name] = tapped_source(name, lines)

    def tap(key, value):
        return listener[0](key, value)

    return tuple(lines), rebuilt(function, sources, {"_tap": tap}), listener


def tapped_source(function, lines):
    """A function's source with a tap after every line that assigns a gradient; the lines are appended to lines."""
    source = source_of(function)
    tree, text = ast.parse(source), source.splitlines()
    body = tree.body[0].body
    tree.body[0].body = with_taps(body, function, text, lines)
    names = [argument.arg for argument in tree.body[0].args.args]
    taps = [ast.parse(f"_tap('{function} {name}', {name})").body[0] for name in names]
    tree.body[0].body[1:1] = taps
    if isinstance(body[-1], ast.Return) and len(body) == 2:  # a docstring, and all in one line
        lines.append(Line(function, len(lines), "da", "", text[-1].strip()))
    return ast.unparse(ast.fix_missing_locations(tree))


def with_taps(body, function, text, lines):
    """Statements, each assignment of gradients followed by its taps."""
    tapped = []
    for statement in body:
        if isinstance(statement, ast.For):
            statement.body = with_taps(statement.body, function, text, lines)
        tapped.append(statement)
        for target in assigned_gradients(statement):
            written = ast.unparse(target)
            quantity = re.match(r"\w+", written).group()
            line_text = text[statement.lineno - 1].strip()
            tapped.append(ast.parse(f"{written} = _tap({len(lines)}, {written})").body[0])
            lines.append(Line(function, len(lines), quantity, equation_of(line_text), line_text))
    return tapped


def assigned_gradients(statement):
    """The targets of an assignment whose names begin with d, as our gradients' do."""
    if not isinstance(statement, ast.Assign | ast.AugAssign):
        return []
    target = statement.target if isinstance(statement, ast.AugAssign) else statement.targets[0]
    targets = target.elts if isinstance(target, ast.Tuple) else [target]
    return [
        each for each in targets if ast.unparse(each).startswith("d") and "empty" not in ast.unparse(statement.value)
    ]


def equation_of(text):
    """The equations that a line's comment names: "(7)", "(3) to (6)", or ""."""
    comment = text.partition("#")[2]
    found = re.search(r"\(\d+\)( to \(\d+\))?", comment)
    return found.group() if found else ""
