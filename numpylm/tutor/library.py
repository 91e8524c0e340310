"""The library of mistakes: what each of them makes of a case."""

from functools import lru_cache

import numpy as np

from numpylm.tutor.case import CELLS, named
from numpylm.tutor.mistakes import Mistake, faulty_function, mistakes_of
from numpylm.tutor.mistakes_in_forwards import STEP_FORWARDS, order_rows, sequence_rows
from numpylm.tutor.mistakes_in_layers import LAYERS
from numpylm.tutor.mistakes_in_loops import loop_rows
from numpylm.tutor.mistakes_in_steps import STEPS, derivative_mistakes


def mistakes_in(case):
    """All mistakes that a case's function can have, the simplest first."""
    if not case.cell:
        rows = mistakes_of(case.function, LAYERS.get(case.function, []))
        return rows + (list(derivative_mistakes(case.function)) if case.is_backward else [])
    if not case.is_backward:
        steps = [*STEP_FORWARDS[case.step], *order_rows(case.cell)]
        return mistakes_of(case.step, steps) + mistakes_of(case.function, sequence_rows(case.cell))
    f = getattr(case.arguments["trace"], "nonlinearity", "tanh")
    loop = mistakes_of(case.function, loop_rows(case.function, case.T))
    if case.is_step:  # the loop is not the student's: what follows it is
        loop = [each for each in loop if each.quantity.startswith(("dW", "db", "dx")) and "t = 0" not in each.why]
    return mistakes_of(case.step, STEPS[case.step]) + loop + list(derivative_mistakes(case.step, f))


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
        if case.is_backward and case.cell and not case.is_step:
            found += [(truncation(k), truncated(case, k)) for k in range(2, case.T)]
    return found


def truncation(k):
    """The mistake of a backward that goes back k steps from each output."""
    why = f"truncated inside the backward: each output's gradient goes back over {k} steps only"
    return Mistake((), "gradients", "", why)


def truncated(case, k):
    """Name -> array: the gradient of each output, and of the last state, carried back over k steps only, and summed."""
    backward = getattr(CELLS[case.cell], case.function)
    parameters, dh, dstate_T, trace = (case.arguments[name] for name in ("parameters", "dh", "dstate_T", "trace"))
    total = {}
    for t in range(case.T):
        start, end = max(0, t + 1 - k), t + 1
        only_t = np.zeros_like(dh[start:end])
        only_t[-1] = dh[t]
        dstate = dstate_T if end == case.T else type(dstate_T)(*[np.zeros_like(q) for q in dstate_T])
        mask = None if trace.mask is None else trace.mask[start:end]
        cut = trace._replace(x=trace.x[start:end], h=trace.h[start:end], steps=trace.steps[start:end], mask=mask)
        found = named(case, backward(parameters, only_t, dstate, cut))
        dx = np.zeros_like(trace.x)
        dx[start:end] = found["dx"]
        if start > 0:
            found |= {name: np.zeros_like(q) for name, q in found.items() if name.endswith("_0")}
        for name, q in {**found, "dx": dx}.items():
            total[name] = total.get(name, 0) + q
    return total
