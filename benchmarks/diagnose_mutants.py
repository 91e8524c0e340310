"""Measures the gradient checker and its diagnosis on single-line mutants of our own backward functions.

    python benchmarks/diagnose_mutants.py       the table
    … -v                                        and what is said of each misdiagnosed mutant
    … --twice                                   two changes in a line, not one
    … --every K                                 every K-th mutant only

Every mutant is our source with one change in one line (mutants.py). The checker, by complex step, must find each one
that changes a gradient by more than 1e-8. No mistake can hide on the small problems: all sizes differ, weights and
states are of order one, one sequence ends early, recurrent dropout is on, a token occurs twice. The diagnosis, which
never sees the mutant's source, is right where it names the mutated line's quantity or its equation. Two counts:

    one name     the first quantity that the first sentence names, or its equation, is right
    sentence     the first sentence is right: where two lines explain the claim by equally small mistakes, it names both

One name cannot always do: a wrong sign in di_t and one in da_i give the same gradients to the last bit. Who names one
line is then wrong about the other mutant. A function that returns one array needs no name: if nothing is said of it,
that counts as right.

"final" is given what a caller of the function gets, "all" every intermediate too. A mutant is held out if no mistake of
the library returns the same gradients. With --twice each mutant gets a second change in the same line, drawn at random:
mistakes further from the right line than any that the diagnosis was written with.
"""

import argparse
from typing import NamedTuple

import numpy as np
from mutants import Mutant, mutants_of, twice_changed

from numpylm import check_gradients
from numpylm.stack import CELLS
from numpylm.tutor.case import SEQUENCE, case_of, cell_of, named, results_of
from numpylm.tutor.diagnosis.diagnose import Question, diagnose_case, matching
from numpylm.tutor.diagnosis.mistakes import rebuilt
from numpylm.tutor.diagnosis.sentences import Finding
from numpylm.tutor.diagnosis.suspects import right_run
from numpylm.tutor.problems import WHOLE, Sizes, cell_inputs, layer_inputs

OTHERS = ("affine_backward", "embedding_backward", "cross_entropy_backward")
SIZES = Sizes(T=4, N=2, D=3, H=5, V=6)
OUTPUTS = {"dc_next": "c_t"}  # of which an input is the gradient, where its name does not say it
SHARES = (("single", 0, 8), ("single", 1, 5), ("first", 0, 8), ("first", 1, 5))  # fields of an Outcome, and widths


class Outcome(NamedTuple):
    """What became of a mutant in one function; single and first are (final, all)."""

    mutant: Mutant
    function: str
    stopped: bool = False  # with an error: a shape that does not fit, no such name
    changed: bool = False
    detected: bool = False
    in_library: bool = False
    single: tuple = (False, False)
    first: tuple = (False, False)
    said: str = ""


def main(arguments=None):
    """Measure everything; print the table and the misdiagnosed."""
    parser = argparse.ArgumentParser(description="Measures the gradient checker and its diagnosis on mutants.")
    parser.add_argument("-v", action="store_true", dest="verbose", help="say what is said of the misdiagnosed")
    parser.add_argument("--twice", action="store_true", help="change each line twice")
    parser.add_argument("--every", type=int, default=1, metavar="K", help="take every K-th mutant only")
    options = parser.parse_args(arguments)
    rows = {}
    for changed, function in levels():
        case, problem = prepared(function)
        mutants = (twice_changed if options.twice else mutants_of)(changed)[:: options.every]
        label = changed.removesuffix("_backward") + (" in its loop" if changed != function else "")
        rows[label] = [measure(mutant, function, case, problem) for mutant in mutants]
    rows["all"] = [outcome for outcomes in rows.values() for outcome in outcomes]
    rows["  held out"] = [outcome for outcome in rows["all"] if not outcome.in_library]
    print_table(rows)
    print_misses(rows["all"], options.verbose)


def levels():
    """(function whose line is changed, function that is checked): each step alone, and inside its sequence."""
    for name in CELLS:
        yield f"{name}_step_backward", f"{name}_step_backward"
        yield f"{name}_step_backward", f"{name}_backward"
        yield f"{name}_backward", f"{name}_backward"
    yield from zip(OTHERS, OTHERS, strict=True)


def prepared(function):
    """(case, problem) of a function, as measure takes them; its own gradients must pass."""
    inputs = inputs_of(function)
    case = case_of(function, inputs)
    problem = checked_problem(case, inputs)
    assert is_right(problem, right_run(case).results), function
    return case, problem


def inputs_of(function, masked=True):
    """The arrays of a small problem for one of our functions, name -> array."""
    rng, cell, (T, N, _, H) = np.random.default_rng(0), cell_of(function), SIZES[:4]
    if not cell:
        inputs = layer_inputs(function, rng, SIZES)
        if not function.startswith("cross"):
            return inputs
        is_ignored = np.arange(T * N).reshape(T, N) == 2
        return {"logits": inputs["logits"], "targets": np.where(is_ignored, -1, inputs["targets"])}
    inputs = cell_inputs(cell, rng, SIZES, WHOLE | {"dstate_T"})
    inputs |= {name: q * np.sqrt(len(q)) for name, q in inputs.items() if name.startswith("W")}  # of order one
    if "_step" in function:
        return {SEQUENCE.get(n, n): q[0] if n in ("x", "dh") else q for n, q in inputs.items() if n != "dh_T"}
    if masked:
        inputs["mask"] = np.arange(N) * (np.arange(T)[:, None] == T - 1) == 0  # the last sequences end one step early
        inputs["recurrent_dropout"] = 2.0 * (np.arange(N * H).reshape(N, H) % 2)
    return inputs


def checked_problem(case, inputs):
    """(f, its arguments, cotangents) of a backward's Case. f is its forward, of all q for which it returns a dq."""
    forward = f"{case.cell}_step" if case.is_step else case.function.replace("backward", "forward")
    right = results_of(case)
    arguments = {name: q for name, q in inputs.items() if f"d{name}" in right}
    cotangents = {OUTPUTS.get(name, name[1:]): q for name, q in inputs.items() if name.startswith("d")}
    known = {}  # every mutant is checked at the same points

    def f(**arrays):
        point = b"".join(array.tobytes() for array in arrays.values())
        if point not in known:
            found = results_of(case_of(forward, inputs | arrays))
            known[point] = {name: found[name] for name in cotangents} if cotangents else found["loss"]
        return known[point]

    return f, arguments, cotangents or None


def is_right(problem, gradients):
    """Whether the checker finds a backward's gradients, by name, right."""
    f, arguments, cotangents = problem
    claim = {name: gradients[f"d{name}"] for name in arguments}
    return check_gradients(f, arguments, claim, "complex", cotangents).ok


def measure(mutant, function, case, problem):
    """The Outcome of a mutant inside a function, its own or the sequence that calls it."""
    truth = right_run(case).results
    try:
        with np.errstate(all="ignore"):
            result = rebuilt(case.function, {mutant.function: mutant.source})(**case.arguments)
            claimed = {name: np.asarray(q, dtype=float) for name, q in named(case, result).items()}
            final = {name: q for name, q in claimed.items() if is_final(case, name)}
            detected = not is_right(problem, final)
    except Exception:  # whatever a mutant may raise
        return Outcome(mutant, function, stopped=True)
    if not any(q.shape != truth[n].shape or not np.abs(q - truth[n]).max() <= 1e-8 for n, q in final.items()):
        return Outcome(mutant, function)
    answers = [diagnose_case(case, given) for given in (final, claimed)]
    if len(truth) == 1:  # its name is all that could be said, and the report says it
        answers = [found or [Finding("", *truth)] for found in answers]
    single = tuple(bool(found) and names_it(found[0]._replace(tied=()), mutant) for found in answers)
    first = tuple(bool(found) and names_it(found[0], mutant) for found in answers)
    said = f"{answers[0][0].words} {answers[0][0].code}" if answers[0] else "nothing"
    return Outcome(mutant, function, False, True, detected, is_known(case, final), single, first, said)


def is_final(case, name):
    """Whether a caller of the function gets this: a record's intermediates are not."""
    return not case.cell or name.startswith(("dW", "db", "dx")) or name.endswith("_0" if not case.is_step else "_prev")


def is_known(case, final):
    """Whether a mistake of the library gives just these gradients."""
    truth = right_run(case).results
    return bool(matching(Question(case, final, {name: truth[name] for name in final}, list(final), (), {})))


def names_it(finding, mutant):
    """Whether a finding names the mutated line's quantity or equation."""
    pairs = [(finding.quantity, finding.equation), *([finding.tied] if finding.tied else [])]
    return any(quantity in mutant.quantities or equation in mutant.equations for quantity, equation in pairs)


def print_table(rows):
    """How many mutants, how many found, how many explained."""
    print(f"{'':21}{'':>8}{'change a':>9}{'':>9}{'one name':>13}{'sentence':>13}")
    print(f"{'mutants of':21}{'mutants':>8}{'gradient':>9}{'detected':>9}" + f"{'final':>8}{'all':>5}" * 2)
    for label, outcomes in rows.items():
        changed = [outcome for outcome in outcomes if outcome.changed]
        cells = "".join(f"{percent(getattr(o, kind)[k] for o in changed):>{width}}" for kind, k, width in SHARES)
        run = sum(not outcome.stopped for outcome in outcomes)
        print(f"{label:21}{run:8}{len(changed):9}{percent(o.detected for o in changed):>9}{cells}")


def percent(answers):
    """Of these, how many are true, in per cent."""
    answers = list(answers)
    return f"{100 * sum(answers) / len(answers):.0f}" if answers else "-"


def print_misses(outcomes, verbose):
    """The mutants that were not found, and those whose equation is not in the first sentence."""
    changed = [outcome for outcome in outcomes if outcome.changed]
    for title, some in (("Not detected", [o for o in changed if not o.detected]),
                        ("Misdiagnosed from final gradients", [o for o in changed if not o.first[0]])):  # fmt: skip
        print(f"{title}: {len(some)}")
        for outcome in some:
            print(f"  {outcome.function.removesuffix('_backward'):10} {outcome.mutant.after:.68}")
            if verbose:
                print(f"      was {outcome.mutant.before}\n      {outcome.said}")


if __name__ == "__main__":
    main()
