"""Measures the gradient checker and its diagnosis on single-line mutants of our own backward functions.

    python benchmarks/diagnose_mutants.py       the table
    … -v                                        and what is said of each misdiagnosed mutant
    … --csv FILE                                and a line for each mutant, in a file

Every mutant is our source with one change in one line (mutants.py). The checker (by complex step, on the problems of
mutant_problems.py) must find every one that changes a gradient by more than 1e-8. The diagnosis, which never sees the
mutant's source, is right where it names the mutated line's quantity or its equation: in its first sentence, or in its
first two. "final" is given what a caller of the function gets, "all" every intermediate too. A mutant is held out where
no entry of the library of mistakes returns the same gradients.
"""

import argparse
import csv
import sys
from pathlib import Path
from typing import NamedTuple

import numpy as np

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

from benchmarks.mutant_problems import CELLS, problem_of
from benchmarks.mutants import Mutant, mutants_of
from numpylm import check_gradients
from numpylm.diagnosis.diagnose import FINAL, findings, known_mistakes
from numpylm.diagnosis.mistakes import MODULES, named_gradients, rebuilt, source_of
from numpylm.diagnosis.wiretap import Wiretap

OTHERS = ("affine_backward", "embedding_backward", "cross_entropy_backward")


class Outcome(NamedTuple):
    """What became of a mutant in one function; first, named are (final, all), None where all is right."""

    mutant: Mutant
    function: str
    stopped: bool
    changed: bool
    detected: bool
    in_library: bool
    first: tuple
    named: tuple
    quantity: tuple
    said: str


def main(arguments=None):
    """Measures everything, prints the table and the misdiagnosed, and writes the CSV where one is asked for."""
    parser = argparse.ArgumentParser(description="Measures the gradient checker and its diagnosis on mutants.")
    parser.add_argument("-v", action="store_true", dest="verbose", help="say what is said of the misdiagnosed")
    parser.add_argument("--csv", metavar="FILE", help="write one line for each mutant to FILE")
    options = parser.parse_args(arguments)
    outcomes, rows = [], []
    for changed, function in levels():
        problem = problem_of(function)
        run = Wiretap(function, problem[0])
        assert check_gradients(problem[1], problem[2], problem[3](run.outputs), "complex").ok, function
        found = [measure(mutant, function, problem, run) for mutant in mutants_of(changed)]
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
        return Outcome(mutant, function, True, True, True, False, None, None, None, f"raises {type(error).__name__}")
    final = {name: array for name, array in claimed.items() if "step" not in function or name in FINAL}
    changed = any(q.shape != truth[n].shape or not np.abs(q - truth[n]).max() <= 1e-8 for n, q in final.items())
    if not changed:
        return Outcome(mutant, function, False, False, False, False, None, None, None, "")
    with np.errstate(over="ignore"):
        detected = not check_gradients(f, arguments, arrays, "complex").ok
    shapes_agree = all(q.shape == truth[n].shape for n, q in final.items())
    in_library = shapes_agree and bool(known_mistakes(run, final))
    answers = [findings(function, inputs, given, run) for given in (final, everything(mutant, run, claimed))]
    first = tuple(bool(found) and is_right(found[0], mutant) for found in answers)
    named = tuple(any(is_right(finding, mutant) for finding in found[:2]) for found in answers)
    quantity = tuple(
        any(finding.quantity in mutant.quantities for finding in found[:k]) for found in answers[:1] for k in (1, 2)
    )
    said = answers[0][0].sentence if answers[0] else "nothing"
    return Outcome(mutant, function, False, True, detected, in_library, first, named, quantity, said)


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


def is_right(finding, mutant):
    """Whether a finding names the mutated line's quantity or equation."""
    return finding.quantity in mutant.quantities or finding.equation in mutant.equations


def print_table(rows):
    """80 columns: how many, how many found, how many explained."""
    print(f"{'':25}{'':>8}{'change a':>9}{'':>10}{'first sentence':>15}{'first two':>13}")
    print(f"{'mutants of':25}{'mutants':>8}{'gradient':>9}{'detected':>10}{'final':>8}{'all':>7}{'final':>7}{'all':>6}")
    print("-" * 80)
    for label, outcomes in rows:
        run = [outcome for outcome in outcomes if not outcome.stopped]
        changed = [outcome for outcome in run if outcome.changed]
        shares = [
            share(getattr(outcome, kind)[k] for outcome in changed) for kind in ("first", "named") for k in (0, 1)
        ]
        detected = share(outcome.detected for outcome in changed)
        widths = zip(shares, (8, 7, 7, 6), strict=True)
        print(f"{label:25}{len(run):8}{len(changed):9}{detected:>10}" + "".join(f"{s:>{w}}" for s, w in widths))
    strict = [outcome for outcome in rows[-1][1] if outcome.quantity]
    first, two = (share(outcome.quantity[k] for outcome in strict) for k in (0, 1))
    print("\nThe very quantity, not its equation alone (held out, from final gradients):")
    print(f"{first} in the first sentence, {two} in the first two.")
    stopped = sum(outcome.stopped for outcome in rows[-3][1])
    print(f"Left out: {stopped} that stop with an error (a shape that does not fit, no such name).")


def share(answers):
    """Of these, how many are true, in percent."""
    answers = list(answers)
    return f"{100 * sum(answers) / len(answers):.0f} %" if answers else "-"


def print_misses(outcomes, verbose):
    """The mutants that were not found, and those whose equation is in neither of the first two sentences."""
    missed = [outcome for outcome in outcomes if outcome.changed and not outcome.detected and not outcome.stopped]
    print(f"\nNot detected: {len(missed)}")
    for outcome in missed:
        print(f"  {outcome.function}: {outcome.mutant.after}")
    wrong = [outcome for outcome in outcomes if outcome.named and not outcome.named[0]]
    print(f"Misdiagnosed from final gradients: {len(wrong)}")
    for outcome in wrong:
        name, line = outcome.function.removesuffix("_backward"), outcome.mutant.after
        print(f"  {name:10} {line if len(line) < 68 else line[:66] + ' …'}")
        if verbose:
            print(f"      was {outcome.mutant.before}\n      {outcome.said}")


def write_csv(outcomes, path):
    """One line for each mutant."""
    with open(path, "w", newline="", encoding="utf-8") as file:
        table = csv.writer(file, lineterminator="\n")
        table.writerow(
            ["function", "before", "after", "stopped", "changed", "detected", "in_library",
             "first_final", "first_all", "named_final", "named_all"]
        )  # fmt: skip
        for outcome in outcomes:
            first, named = outcome.first or ("", ""), outcome.named or ("", "")
            flags = (outcome.stopped, outcome.changed, outcome.detected, outcome.in_library, *first, *named)
            cells = [flag if flag == "" else int(flag) for flag in flags]
            table.writerow([outcome.function, outcome.mutant.before, outcome.mutant.after, *cells])


if __name__ == "__main__":
    main()
