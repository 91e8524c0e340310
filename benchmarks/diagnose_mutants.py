"""Measures the gradient checker and its diagnosis on single-line mutants of our own backward functions.

    python benchmarks/diagnose_mutants.py       the table
    … -v                                        and what is said of each misdiagnosed mutant
    … --twice                                   two changes in a line, not one
    … --every K                                 every K-th mutant only

Every mutant is our source with one change in one line (mutants.py). The checker (by complex step, on the problems of
mutant_problems.py) must find every one that changes a gradient by more than 1e-8. The diagnosis, which never sees the
mutant's source, is right where it names the mutated line's quantity or its equation. Three counts, each stricter than
the next:

    one name     the first quantity that the first sentence names, or its equation, is right
    sentence     the first sentence is right: where two lines explain the claim by equally small mistakes, it names both
    first two    the first sentence or the second is right

One name cannot always do: a wrong sign in di_t and one in da_i give the same gradients to the last bit. Who names one
line is then wrong about the other mutant. The last lines say how much a perfect guesser could reach, who knows all
mutants and names the line that most of those with equal gradients changed. A function that returns one array needs no
name: if nothing is said of it, that counts as right.

"final" is given what a caller of the function gets, "all" every intermediate too. A mutant is held out if no mistake of
the library returns the same gradients. With --twice each mutant gets a second change in the same line, drawn at random:
mistakes further from the right line than any that the diagnosis was written with.
"""

import argparse
import sys
from pathlib import Path

import numpy as np

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

from benchmarks.mutant_problems import CELLS, checked_problem, inputs_of
from benchmarks.mutant_tables import Outcome, is_right, print_misses, print_table
from benchmarks.mutants import mutants_of, twice_changed
from numpylm import check_gradients
from numpylm.tutor.case import case_of, named
from numpylm.tutor.causes import Question, matching
from numpylm.tutor.diagnose import diagnose_case
from numpylm.tutor.mistakes import rebuilt
from numpylm.tutor.sentences import Finding
from numpylm.tutor.suspects import right_run

OTHERS = ("affine_backward", "embedding_backward", "cross_entropy_backward")


def main(arguments=None):
    """Measures everything; prints the table and the misdiagnosed."""
    parser = argparse.ArgumentParser(description="Measures the gradient checker and its diagnosis on mutants.")
    parser.add_argument("-v", action="store_true", dest="verbose", help="say what is said of the misdiagnosed")
    parser.add_argument("--twice", action="store_true", help="change each line twice")
    parser.add_argument("--every", type=int, default=1, metavar="K", help="take every K-th mutant only")
    options = parser.parse_args(arguments)
    make = twice_changed if options.twice else mutants_of
    outcomes, rows = [], []
    for changed, function in levels():
        case, problem = prepared(function)
        found = [measure(mutant, function, case, problem) for mutant in make(changed)[:: options.every]]
        outcomes += found
        label = changed.removesuffix("_backward") + (" in its loop" if changed != function else "")
        rows.append((label, found))
    rows.append(("all", outcomes))
    rows.append(("  in the library", [outcome for outcome in outcomes if outcome.in_library]))
    rows.append(("  held out", [outcome for outcome in outcomes if not outcome.in_library]))
    print_table(rows)
    print_misses(outcomes, options.verbose)


def levels():
    """(function whose line is changed, function that is checked): each step alone, and inside its sequence."""
    for name in CELLS:
        yield f"{name}_step_backward", f"{name}_step_backward"
        yield f"{name}_step_backward", f"{name}_backward"
        yield f"{name}_backward", f"{name}_backward"
    for name in OTHERS:
        yield name, name


def prepared(function):
    """(case, what check_gradients takes) of a function; its own gradients must pass."""
    inputs = inputs_of(function)
    case = case_of(function, inputs)
    problem = checked_problem(case, inputs)
    f, arguments, claim = problem
    assert check_gradients(f, arguments, claim(right_run(case).results), "complex").ok, function
    return case, problem


def measure(mutant, function, case, problem):
    """The Outcome of a mutant inside a function, its own or the sequence that calls it."""
    (f, arguments, claim), truth = problem, right_run(case).results
    try:
        with np.errstate(all="ignore"):
            result = rebuilt(case.function, {mutant.function: mutant.source})(**case.arguments)
            claimed = {name: np.asarray(q, dtype=float) for name, q in named(case, result).items()}
            final = {name: q for name, q in claimed.items() if is_final(case, name)}
            arrays = claim(final)
    except Exception as error:  # whatever a mutant may raise
        said = f"raises {type(error).__name__}"
        return Outcome(mutant, function, True, True, True, False, None, None, None, None, said)
    if not any(q.shape != truth[n].shape or not np.abs(q - truth[n]).max() <= 1e-8 for n, q in final.items()):
        return Outcome(mutant, function, False, False, False, False, None, None, None, None, "")
    with np.errstate(over="ignore"):
        detected = not check_gradients(f, arguments, arrays, "complex").ok
    return Outcome(mutant, function, False, True, detected, *judged(mutant, case, claimed, final))


def is_final(case, name):
    """Whether a caller of the function gets this: a record's intermediates are not."""
    return not case.cell or name.startswith(("dW", "db", "dx")) or name.endswith("_0" if not case.is_step else "_prev")


def judged(mutant, case, claimed, final):
    """The last fields of an Outcome: is it in the library, what is said of it, which mutants look the same."""
    truth = right_run(case).results
    shapes_agree = all(q.shape == truth[n].shape for n, q in final.items())
    question = Question(case, final, {name: truth[name] for name in final}, list(final), (), {})
    in_library = shapes_agree and bool(matching(question))
    answers = [diagnose_case(case, given) for given in (final, claimed)]
    if len(truth) == 1:  # its name is all that could be said, and the report says it
        answers = [found or [Finding("", *truth)] for found in answers]
    single = tuple(bool(found) and is_right(found[0]._replace(tied=()), mutant) for found in answers)
    first = tuple(bool(found) and is_right(found[0], mutant) for found in answers)
    both = tuple(any(is_right(finding, mutant) for finding in found[:2]) for found in answers)
    quantity = tuple(any(finding.quantity in mutant.quantities for finding in answers[0][:k]) for k in (1, 2))
    said = answers[0][0].sentence if answers[0] else "nothing"
    group = (case.function, case.T, *(rounded(q, truth[n]) for n, q in sorted(final.items())))
    return in_library, single, first, both, quantity, said, group


def rounded(q, truth):
    """A gradient to six digits, as bytes; its shape where that is wrong."""
    size = max(np.abs(truth).max(initial=0), 1e-300)
    return (
        np.round(np.nan_to_num(q / size, posinf=9e9, neginf=-9e9), 6).tobytes() if q.shape == truth.shape else q.shape
    )


if __name__ == "__main__":
    main()
