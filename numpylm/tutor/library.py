"""The library of mistakes: all that a function can have, and what each of them makes of a case.

Most stand in mistakes.txt. Those that may stand in several places are made here: an activation's derivative (whose
forms are in the table too), a loop that stops early.
"""

import re
from functools import lru_cache
from itertools import combinations

import numpy as np

from numpylm.tutor.case import named
from numpylm.tutor.mistakes import (
    EQUATIONS,
    Mistake,
    equation_of,
    faulty_function,
    mistake_of,
    mistakes_of,
    reachable,
    rows_of,
    sections,
    source_of,
)

LOOP = "range(len(dh))"  # of a backward through time
LAST = "gradients: the backward stops after {0} steps: the gradients are those of the last {0} steps alone"
TRUNCATED = "truncated inside the backward: each output's gradient goes back over {} steps only"


@lru_cache(maxsize=4)
def wrong_results(case):
    """[(Mistake, name -> array)]: what each mistake makes of a case, where it makes anything."""
    found = []
    with np.errstate(all="ignore"):
        for mistake in mistakes_in(case):
            try:
                result = faulty_function(case.function, mistake.changes)(**case.arguments)
                found.append((mistake, named(case, result)))
            except (ValueError, TypeError, IndexError, AttributeError):  # it cannot be made of these shapes
                continue
        for k in range(2, case.T) if case.is_backward and not case.is_step else ():
            found.append((Mistake((), "gradients", "", TRUNCATED.format(k)), truncated(case, k)))
    return found


def truncated(case, k):
    """Name -> array: the gradient of each output, and of the last state, carried back over k steps only, and summed."""
    total, last = {}, case.T - 1
    dh, dstate_T = case.arguments["dh"], case.arguments["dstate_T"]
    for t in range(case.T):
        start = max(0, t + 1 - k)
        backward = faulty_function(case.function, ((case.function, LOOP, f"range({start}, {t + 1})"),))
        only_t = dh * (np.arange(case.T) == t)[:, None, None]
        dstate = type(dstate_T)(*[q * (t == last) for q in dstate_T])
        result = backward(case.arguments["parameters"], only_t, dstate, case.arguments["trace"])
        for name, q in named(case, result).items():
            total[name] = total.get(name, 0) + (0 * q if name.endswith("_0") and start > 0 else q)
    return total


def mistakes_in(case):
    """All mistakes that a case's function can have, the simplest first."""
    if case.cell and not case.is_backward:
        return mistakes_of(case.step) + mistakes_of(case.function)
    alone = [case.function] if mistakes_of(case.function) else reachable(case.function)
    names = [case.step, case.function] if case.cell else alone
    found = [mistake for name in names for mistake in mistakes_of(name)]
    if case.is_step:  # the loop is not the student's: what follows it is
        is_after = re.compile(r"dW|db|dx").match
        found = [m for m in found if m.function == case.step or (is_after(m.quantity) and "t = 0" not in m.why)]
    elif case.cell:
        ks = range(2, case.T - 1)
        found += [mistake_of(case.function, f"{LOOP} => range(len(dh) - {k}, len(dh))", LAST.format(k)) for k in ks]
    f = getattr(case.arguments.get("trace"), "nonlinearity", "tanh")
    return found + (list(derivative_mistakes(case.step or case.function, f)) if case.is_backward else [])


D = {"sigmoid": "({0} * (1 - {0}))", "tanh": "(1 - {0} * {0})", "relu": "({0} > 0)"}
ALONE = {  # calls in functions that are one line
    "sigmoid_backward": [("da", "ds * s * (1 - s)", "sigmoid", "ds", "s", EQUATIONS["sigmoid"])],
    "tanh_backward": [("da", "dy * (1 - y * y)", "tanh", "dy", "y", EQUATIONS["tanh"])],
}
CALL = r"(\w+) = (?:dc_next \+ )?((tanh|sigmoid|f)_backward\((\w+), (step\.\w+)\))"
NAMES = {"sigmoid": "σ", "tanh": "tanh", "relu": "ReLU"}
WORDS = {"sigmoid": "{0} (1 - {0})", "tanh": "1 - {0}²", "relu": "1 where {0} > 0"}
SEVERAL = {"name": "the activation", "gate": "the gates", "its_name": "another activation",
           "derivative": "s (1 - s) for σ and 1 - y² for tanh"}  # fmt: skip


def derivative_mistakes(function, nonlinearity="tanh"):
    """The mistakes in the derivatives of a function's activations: in one, in several or in all of them."""
    lines = source_of(function).split("\n")
    calls = [(*found.groups(), equation_of(line)) for line in lines if (found := re.search(CALL, line))]
    calls = calls or ALONE.get(function, [])
    for number in range(1, len(calls) + 1):
        for chosen in combinations(calls, number):
            for form, why in rows_of(sections()["derivatives"]):
                yield derivative_mistake(function, chosen, form, why, nonlinearity)


def derivative_mistake(function, chosen, form, why, nonlinearity):
    """The Mistake that one form makes of the chosen calls."""
    changes, words = [], SEVERAL
    for _, call, name, dq, y, _ in chosen:
        f = nonlinearity if name == "f" else name
        other, gate = "tanh" if f == "sigmoid" else "sigmoid", y.removeprefix("step.")
        gate = {"c_tilde_t": "c̃_t", "tanh_c_t": "tanh(c_t)"}.get(gate, gate)
        parts = {"dq": dq, "y": y, "f": f, "D": D[f].format(y), "D_again": D[f].format(f"{f}({y})")}
        changes.append((function, call, f"({form.format(**parts, D_other=D[other].format(y))})"))
        if len(chosen) == 1:
            words = {"name": NAMES[f], "gate": gate, "its_name": NAMES[other], "derivative": WORDS[f].format(gate)}
    quantities, equations = [call[0] for call in chosen], [call[-1] for call in chosen]
    return Mistake(tuple(changes), ", ".join(quantities), ", ".join(dict.fromkeys(equations)), why.format(**words))
