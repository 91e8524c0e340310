"""What is likely wrong with a function, given the values that it returned: from arrays by name to ranked sentences.

    for finding in diagnose("lstm_step_backward", {"x_t": …, "h_prev": …, …, "dh_t": …, "dc_next": …}, claimed):
        print(finding.words)

Pure functions: nothing is printed, no file is read, and no code but our own is run. The evidence, in this order:

    the values themselves    a wrong shape, two exchanged, the same one twice, zero everywhere, one factor in all
    the library              all that was returned equals, to rounding, what a known mistake gives (library.py)
    suspects                 the lines of a backward each of which, if only it is wrong, explains all (suspects.py)
    intermediates            if they are claimed too: the first wrong one in the order of computation
    relations                what each wrong value has in common with the right one (proof/evidence.py)

Several mistakes are told apart if what they spoil does not come from each other: each is explained by itself.
"""

import numpy as np

from numpylm.proof.evidence import same
from numpylm.tutor import numeric_mistakes
from numpylm.tutor.case import GATES, case_of, cell_of, equation_of_result, results_of
from numpylm.tutor.causes import Question, agree, gradients, matching, numbers
from numpylm.tutor.mistakes import MODULES
from numpylm.tutor.sentences import CELLS, Finding, known, numbered, unusable, with_meanings
from numpylm.tutor.window_mistakes import ctc_mistakes, window_mistakes

ORDER = "Look at the order in which you return (or unpack) them"
DICT = "; return a dict with {} and cache, and the report says which is wrong first"
FIELDS = {"lstm": "i_t, f_t, o_t, c_tilde_t, c_t, h_t", "gru": "r_t, z_t, n_t, h_t"}


OTHERS = {"truncated_bptt": window_mistakes, "ctc_alpha": ctc_mistakes, "ctc_dlogits": ctc_mistakes}


def can_diagnose(function):
    """Whether the diagnosis knows a function line by line, and not by its results alone."""
    return function in MODULES or bool(cell_of(function))


def diagnose(function, inputs, claimed, truth=None, trusted=(), sizes=None, tolerance=1e-9):
    """Findings on what is likely wrong with what a function returned, the most telling first; [] if all is right.

    function  the name of a function of ours, forward or backward; any other name, if truth is given
    inputs    its arguments by name, for a cell plain arrays: x h_0 c_0 W_x W_h b dh dh_T dc_T of a sequence (T, N, ·);
              x_t h_prev c_prev W_x W_h b dh_t dc_next of a step; a state or gradient that is not given is zero
    claimed   name -> array: dx dW_x dW_h db dh_0 dc_0, or dx_t dh_prev dc_prev dW_x … of a step; a gate's own dW_xi;
              any intermediate, such as da_f or dc_t
    truth     name -> array, the right values: ours, if left out
    trusted   names of functions that are known to be right
    sizes     such as {"V": 9}, by which a constant factor can be named
    tolerance a claim is right within this part of its largest right value: larger for code that computes in float32
    Small inputs, T N H up to about 600, let single lines be told apart. Names that nothing is known of are left out.
    """
    if function in ("central_difference", "complex_step"):
        return numeric_mistakes.findings(function, inputs, claimed)
    for finding, made in OTHERS[function](inputs) if function in OTHERS else ():
        returned = claimed.keys() & made.keys()
        if returned and all(same(np.asarray(claimed[name]), made[name]) for name in returned):
            return [finding]
    case = case_of(function, inputs) if can_diagnose(function) else None
    return diagnose_case(case, claimed, truth, tuple(trusted), sizes, tolerance)


def diagnose_case(case, claimed, truth=None, trusted=(), sizes=None, tolerance=1e-9):
    """The same for a Case, for many claims on one: what is known of it is computed once."""
    right = results_of(case) if case else {}
    right |= {name: np.asarray(q) for name, q in (truth or {}).items()}
    claims = {name: np.asarray(q) for name, q in claimed.items() if name in right}
    taken = exchanged(claims, right)
    claims = {name: q for name, q in claims.items() if name not in taken}
    found = [unusable(name, q, right[name], equation_of_result(case, name)) for name, q in claims.items()]
    claims = {name: q for (name, q), finding in zip(claims.items(), found, strict=True) if finding is None}
    claims = packed(case, claims, right)
    wrong = [name for name, q in claims.items() if not agree(q, right[name], right[name], tolerance)]
    sizes = {**(case.sizes if case else {}), **(sizes or {})}
    question = Question(case, claims, {name: right[name] for name in claims}, wrong, trusted, sizes)
    found = [finding for finding in found if finding] + exchange_findings(taken)
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
    """Name -> the name whose right value it holds, of wrong claims that stand in each other's places."""
    wrong = [name for name, q in claims.items() if q.size > 1 and right[name].any() and not same(q, right[name])]
    taken = {
        name: other for name in wrong for other in wrong if claims[name].any() and same(claims[name], right[other])
    }
    while not set(taken.values()) <= set(taken):
        taken = {name: other for name, other in taken.items() if other in taken}
    return taken


def exchange_findings(taken):
    """What to say of quantities that stand in each other's places."""
    pairs = [(name, other) for name, other in taken.items() if taken[other] == name and name < other]
    longer = [f"{name} holds what {other} should be" for name, other in taken.items() if taken[other] != name]
    said = [f"{one} and {other} are exchanged: each holds what belongs to the other. {ORDER}" for one, other in pairs]
    said += [f"{', '.join(longer)}: they are in another order. {ORDER}"] if longer else []
    return [Finding(words, explains=True) for words in said]


def values(question):
    """Findings on what a forward returned."""
    found = [known(mistake) for mistake in matching(question)[:1]]
    return found or first_value(question) + numbers(question, question.wrong)


def first_value(question):
    """Which wrong value of a step is computed first, and by which equation."""
    case, right = question.case, question.truth
    if not case.is_step:
        return []
    order = [name for name in results_of(case) if name in right and equation_of_result(case, name)]
    first = next((name for name in order if name in question.wrong), None)
    if first is None:
        return []
    if set(right) <= {"h_t", "c_t"} and case.cell in FIELDS:
        words = f"{first} comes from {numbered(CELLS[case.cell])}{DICT.format(FIELDS[case.cell])}"
    else:
        before = order[: order.index(first)]
        seen = f"; {', '.join(before)} {'is' if len(before) == 1 else 'are'} right" if before else ""
        words = f"look first at {first}, {numbered(equation_of_result(case, first))}{seen}"
    return [Finding(words, first, equation_of_result(case, first))]
