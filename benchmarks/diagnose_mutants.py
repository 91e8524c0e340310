"""Measures the gradient checker and its diagnosis on single-line mutants of our own backward functions.

    python benchmarks/diagnose_mutants.py       the table
    … -v                                        and what is said of each misdiagnosed mutant
    … --csv FILE                                and a line for each mutant, in a file
    … --twice                                   two changes in a line, not one

Every mutant is our source with one change in one line (mutants.py). The checker (by complex step, on the problems of
mutant_problems.py) must find every one that changes a gradient by more than 1e-8. The diagnosis, which never sees the
mutant's source, is right where it names the mutated line's quantity or its equation. Three counts, each stricter than
the next:

    one name     the first quantity that the first sentence names, or its equation, is right
    sentence     the first sentence is right: where two lines explain the claim by equally small mistakes, it names both
    first two    the first sentence or the second is right

One name cannot always do. A wrong sign in di_t and one in da_i give the same gradients to the last bit, so that whoever
must name one line is wrong about the other mutant. The last lines say how much a perfect guesser could reach, who knows
all mutants and names, for each set of those with equal gradients, the line that most of them changed.

"final" is given what a caller of the function gets, "all" every intermediate too. A mutant is held out where no entry
of the library of mistakes returns the same gradients. With --twice each mutant gets a second change in the same line,
drawn at random: mistakes further from the right line than any that the diagnosis was written with.
"""

import argparse
import sys
from pathlib import Path

import numpy as np

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

from benchmarks.mutant_problems import CELLS, problem_of
from benchmarks.mutant_tables import Outcome, is_right, print_misses, print_table, write_csv
from benchmarks.mutants import mutants_of, twice_changed
from numpylm import check_gradients
from numpylm.tutor.diagnose import FINAL, findings, known_mistakes
from numpylm.tutor.mistakes import MODULES, named_gradients, rebuilt, source_of
from numpylm.tutor.wiretap import Wiretap

OTHERS = ("affine_backward", "embedding_backward", "cross_entropy_backward")


def main(arguments=None):
    """Measures everything, prints the table and the misdiagnosed, and writes the CSV where one is asked for."""
    parser = argparse.ArgumentParser(description="Measures the gradient checker and its diagnosis on mutants.")
    parser.add_argument("-v", action="store_true", dest="verbose", help="say what is said of the misdiagnosed")
    parser.add_argument("--csv", metavar="FILE", help="write one line for each mutant to FILE")
    parser.add_argument("--twice", action="store_true", help="change each line twice")
    options = parser.parse_args(arguments)
    make = twice_changed if options.twice else mutants_of
    outcomes, rows = [], []
    for changed, function in levels():
        problem = problem_of(function)
        run = Wiretap(function, problem[0])
        assert check_gradients(problem[1], problem[2], problem[3](run.outputs), "complex").ok, function
        found = [measure(mutant, function, problem, run) for mutant in make(changed)]
        outcomes += found
        label = changed.removesuffix("_backward") + (" in its loop" if changed != function else "")
        rows.append((label, found))
    rows.append(("all", outcomes))
    rows.append(("  in the library", [outcome for outcome in outcomes if outcome.in_library]))
    rows.append(("  held out", [outcome for outcome in outcomes if not outcome.in_library]))
    print_table(rows)
    print_misses(outcomes, options.verbose)
    if options.csv:
        write_csv(outcomes, options.csv)


def levels():
    """(function whose line is changed, function that is checked): each step alone, and inside its sequence."""
    for name in CELLS:
        yield f"{name}_step_backward", f"{name}_step_backward"
        yield f"{name}_step_backward", f"{name}_backward"
        yield f"{name}_backward", f"{name}_backward"
    for name in OTHERS:
        yield name, name


def measure(mutant, function, problem, run):
    """The Outcome of a mutant inside a function, its own or the sequence that calls it."""
    (inputs, f, arguments, claim), truth = problem, run.outputs
    try:
        with np.errstate(all="ignore"):
            claimed = named_gradients(rebuilt(function, {mutant.function: mutant.source})(**inputs), function)
            claimed = {name: np.asarray(array, dtype=float) for name, array in claimed.items()}
            arrays = claim(claimed)
    except Exception as error:  # whatever a mutant may raise
        return Outcome(
            mutant, function, True, True, True, False, None, None, None, None, f"raises {type(error).__name__}"
        )
    final = {name: array for name, array in claimed.items() if "step" not in function or name in FINAL}
    changed = any(q.shape != truth[n].shape or not np.abs(q - truth[n]).max() <= 1e-8 for n, q in final.items())
    if not changed:
        return Outcome(mutant, function, False, False, False, False, None, None, None, None, "")
    with np.errstate(over="ignore"):
        detected = not check_gradients(f, arguments, arrays, "complex").ok
    return Outcome(mutant, function, False, True, detected, *judged(mutant, function, run, claimed, final))


def judged(mutant, function, run, claimed, final):
    """The last fields of an Outcome: is it in the library, what is said of it, which mutants look the same."""
    shapes_agree = all(q.shape == run.outputs[n].shape for n, q in final.items())
    in_library = shapes_agree and bool(known_mistakes(run, final))
    answers = [findings(function, run.inputs, given, run) for given in (final, everything(mutant, run, claimed))]
    single = tuple(bool(found) and is_right(found[0]._replace(tied=()), mutant) for found in answers)
    first = tuple(bool(found) and is_right(found[0], mutant) for found in answers)
    named = tuple(any(is_right(finding, mutant) for finding in found[:2]) for found in answers)
    quantity = tuple(any(finding.quantity in mutant.quantities for finding in answers[0][:k]) for k in (1, 2))
    said = answers[0][0].sentence if answers[0] else "nothing"
    group = (function, *(rounded(q, run.outputs[n], run.scale(n)) for n, q in sorted(final.items())))
    return in_library, single, first, named, quantity, said, group


def rounded(q, truth, scale):
    """A gradient to six digits, as bytes; its shape where that is wrong."""
    return (
        np.round(np.nan_to_num(q / scale, posinf=9e9, neginf=-9e9), 6).tobytes() if q.shape == truth.shape else q.shape
    )


def everything(mutant, run, claimed):
    """The claim with every intermediate that a user's code of our quartet's form has: for a sequence, the steps'."""
    function = run.function
    if "step" in function or function in OTHERS:
        return claimed
    name = f"{function.removesuffix('_backward')}_step_backward"
    records = []
    step = rebuilt(name, {mutant.function: mutant.source} if mutant.function == name else {name: source_of(name)})

    def listening(*arguments):
        records.append(step(*arguments))
        return records[-1]

    module, source = MODULES[function], mutant.source if mutant.function == function else source_of(function)
    namespace = {**vars(module), name: listening}
    exec(compile(source, f"<{function}>", "exec"), namespace)
    namespace[function](**run.inputs)
    if len(records) != len(run.inputs["dh"]):
        return claimed
    stacked = {n: np.stack([getattr(r, n) for r in reversed(records)]) for n in records[0]._fields}
    return {**{n: q for n, q in stacked.items() if n in run.truth}, **claimed}


if __name__ == "__main__":
    main()
