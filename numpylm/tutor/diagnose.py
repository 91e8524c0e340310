"""What is likely wrong with a function, given the values that it returned: from arrays by name to ranked sentences.

    for finding in diagnose("lstm_step_backward", {"x_t": …, "h_prev": …, …, "dh_t": …, "dc_next": …}, claimed):
        print(finding.words)

Pure functions: nothing is printed, no file is read, and no code but our own is run. The evidence, in this order:

    the values themselves    a wrong shape, two that are exchanged
    the library              all that was returned equals, to rounding, what a known mistake gives (library.py)
    one factor in all        such as 1/N, or clipping
    suspects                 the line of a backward which, if only it is wrong, explains all (suspects.py)
    relations                what each wrong value has in common with the right one (proof/evidence.py)

Several mistakes are told apart if what they spoil does not come from each other: each is explained by itself.
"""

import numpy as np

from numpylm.proof.evidence import same
from numpylm.tutor.case import GATES, case_of, cell_of, our_name, results_of
from numpylm.tutor.causes import Question, agree, gradients, matching, numbers
from numpylm.tutor.mistakes import MODULES
from numpylm.tutor.results import is_rounding
from numpylm.tutor.sentences import Finding, known, with_meanings

EXCHANGED = (
    "{} and {} are exchanged: each holds what belongs to the other. Look at the order in which you return (or unpack) "
    "them"
)
TIMES = "it is {:.3g} times the derivative: that is (f(x + ε) - f(x - ε)) / (2 * ε), whose points lie 2 ε apart"
ONE_SIDED = (
    "this is the {} difference, with ε of about {:.0e}: its error is ε f''/2. The central difference takes f(x_k + ε) "
    "and f(x_k - ε), and is off by ε² f'''/6 alone"
)
STEP = "ε is too large: the error is that of a step of about {:.0e}; take 1e-5 or so"
ROUNDING = "the errors, up to {:.0e}, are rounding, 1e-16 |f| / ε: ε is too small; take 1e-5 or so"


def diagnose_problem(assignment, problem, values, rows, trusted=()):
    """Findings on what an assignment's function returned for a problem. trusted are right functions of the file."""
    if is_rounding(rows, assignment.rtol):
        return []
    names = [name.replace("rnn_relu", "rnn") for name in trusted]
    returned = {name: q for name, q in values.items() if name in problem.answers}
    return diagnose(assignment.name, problem.symbols, returned, problem.answers, names, problem.sizes._asdict())


def diagnose(function, inputs, claimed, truth=None, trusted=(), sizes=None, tolerance=1e-9):
    """Findings on what is likely wrong with what a function returned, the most telling first; [] if all is right.

    function  the name of a function of ours, forward or backward; any other name, if truth is given
    inputs    its arguments by name, for a cell plain arrays: x h_0 c_0 W_x W_h b dh dh_T dc_T of a sequence (T, N, ·);
              x_t h_prev c_prev W_x W_h b dh_t dc_next of a step; a state or gradient that is not given is zero
    claimed   name -> array: dx dW_x dh_0 … or dx_t dh_prev dW_x …; a gate's own dW_xi; an intermediate, such as da_f
    truth     name -> array, the right values: ours, if left out
    trusted   names of functions that are known to be right
    sizes     such as {"V": 9}, by which a constant factor can be named
    tolerance a claim is right within this part of its largest right value: larger for code that computes in float32

    Small inputs, T N H up to about 600, let single lines be told apart. NaN and unknown names are left out.
    """
    if function in ("central_difference", "complex_step"):
        return of_a_numerical_derivative(inputs["f"], np.asarray(claimed["gradient"], dtype=float))
    case = case_of(function, inputs) if cell_of(function) or our_name(function) in MODULES else None
    return diagnose_case(case, claimed, truth, tuple(trusted), sizes, tolerance)


def diagnose_case(case, claimed, truth=None, trusted=(), sizes=None, tolerance=1e-9):
    """The same for a Case, for many claims on one: what is known of it is computed once."""
    right = (results_of(case) if case else {}) | {name: np.asarray(q) for name, q in (truth or {}).items()}
    claims = {name: np.asarray(q) for name, q in claimed.items() if name in right}
    pairs = exchanged(claims, right)
    taken = {name for pair in pairs for name in pair}
    misshapen = {name: right[name].shape for name, q in claims.items() if q.shape != right[name].shape}
    found = [Finding(f"{n} is of shape {claims[n].shape}; it should be {shape}", n) for n, shape in misshapen.items()]
    taken |= misshapen.keys()
    claims = {name: q for name, q in claims.items() if name not in taken and np.isfinite(q).all()}
    claims = packed(case, claims, right)
    wrong = [name for name, q in claims.items() if not agree(q, right[name], right[name], tolerance)]
    sizes = {**(case.sizes if case else {}), **(sizes or {})}
    question = Question(case, claims, {name: right[name] for name in claims}, wrong, trusted, sizes)
    found += [Finding(EXCHANGED.format(*pair)) for pair in pairs]
    explained = gradients if case is None or case.is_backward else values
    return found + [with_meanings(finding) for finding in (explained(question) if wrong else [])]


def packed(case, claims, right):
    """The claims with each gate's dW_xi, dW_xf, … side by side as dW_x; a gate that is not claimed counts as right."""
    gates = GATES.get(case.cell, "") if case else ""
    for name, row in (("dW_x", "dW_x"), ("dW_h", "dW_h"), ("db", "db_")):
        if any(row + gate in claims for gate in gates):
            claims[name] = np.concatenate([claims.pop(row + gate, right[row + gate]) for gate in gates], axis=-1)
    return claims


def exchanged(claims, right):
    """Pairs of names, of wrong claims that stand in each other's places."""
    wrong = [name for name, q in claims.items() if q.size > 1 and q.any() and not same(q, right[name])]
    return [
        (name, other)
        for k, name in enumerate(wrong)
        for other in wrong[:k]
        if same(claims[name], right[other]) and same(claims[other], right[name])
    ]


def values(question):
    """Findings on what a forward returned: a known mistake, or the numbers."""
    return [known(mistake) for mistake in matching(question)[:1]] or numbers(question, question.wrong)


def of_a_numerical_derivative(f, gradient):
    """A list with the Finding on the step or the formula of a wrong numerical derivative of f, a sum of sin(x) x².

    The forward difference is off by ε f''/2, the central difference by ε² f'''/6; rounding is off by 1e-16 |f| / ε.
    """
    x, right = np.real(f.x), np.real(f.gradient())
    error, size = gradient - right, np.abs(gradient - right).max()
    factor = multiple(gradient, right, 1e-4)
    second = multiple(error, -np.sin(x) * x**2 + 4 * np.cos(x) * x + 2 * np.sin(x))
    third = multiple(error, -np.cos(x) * x**2 - 6 * np.sin(x) * x + 6 * np.cos(x))
    if not gradient.any():
        words = "it is zero: does f see the change? f() reads the array x itself, so change x[k] in place"
    elif factor and abs(factor - 1) > 0.1:
        words = TIMES.format(factor)
    elif second:
        words = ONE_SIDED.format("forward" if second > 0 else "backward", abs(2 * second))
    elif third or 1e-8 < size < 0.05 * np.abs(right).max():
        words = STEP.format(np.sqrt(6 * abs(third))) if third else ROUNDING.format(size)
    else:
        return []
    return [Finding(words)]


def multiple(error, slope, tolerance=0.02):
    """The number k with error = k slope, or None."""
    k = (error * slope).sum() / (slope * slope).sum()
    return float(k) if k and np.abs(error - k * slope).max() <= tolerance * np.abs(error).max() else None
