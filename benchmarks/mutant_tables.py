"""What became of the mutants of diagnose_mutants.py: the table and the misdiagnosed."""

from collections import Counter, defaultdict
from itertools import product
from typing import NamedTuple

from benchmarks.mutants import Mutant
from numpylm.tutor.sentences import Finding


class Outcome(NamedTuple):
    """What became of a mutant in one function; single, first, named are (final, all), None where all is right.

    group is the same for mutants of equal final gradients; names are all that would be right to say of this one.
    """

    mutant: Mutant
    function: str
    stopped: bool
    changed: bool
    detected: bool
    in_library: bool
    single: tuple
    first: tuple
    named: tuple
    quantity: tuple
    said: str
    group: object = None


def is_right(finding, mutant):
    """Whether a finding names the mutated line's quantity or equation."""
    named = [(finding.quantity, finding.equation), *([finding.tied] if finding.tied else [])]
    return any(quantity in mutant.quantities or equation in mutant.equations for quantity, equation in named)


def print_table(rows):
    """80 columns: how many, how many found, how many explained."""
    print(f"{'':21}{'':>8}{'change a':>9}{'':>9}{'one name':>11}{'sentence':>11}{'first two':>11}")
    print(f"{'mutants of':21}{'mutants':>8}{'gradient':>9}{'detected':>9}" + f"{'final':>6}{'all':>5}" * 3)
    print("-" * 80)
    for label, outcomes in rows:
        run = [outcome for outcome in outcomes if not outcome.stopped]
        changed = [outcome for outcome in run if outcome.changed]
        shares = [
            share(getattr(outcome, kind)[k] for outcome in changed)
            for kind in ("single", "first", "named")
            for k in (0, 1)
        ]
        detected = share(outcome.detected for outcome in changed)
        cells = "".join(f"{s.removesuffix(' %'):>{width}}" for s, width in zip(shares, (6, 5) * 3, strict=True))
        print(f"{label:21}{len(run):8}{len(changed):9}{detected:>9}{cells}")
    print_bounds([outcome for outcome in rows[-1][1] if outcome.first])
    stopped = sum(outcome.stopped for outcome in rows[-3][1])
    print(f"Left out: {stopped} that stop with an error (a shape that does not fit, no such name).")


def print_bounds(held_out):
    """What one name could reach at best, how often two are named, and how often the very quantity is."""
    tied = share(outcome.first[0] and not outcome.single[0] for outcome in held_out)
    first, two = (share(outcome.quantity[k] for outcome in held_out) for k in (0, 1))
    print("\nHeld out, from final gradients:")
    print(f"  {best_single(held_out)} is the most that one name can reach: other lines give the same gradients")
    print(f"  {tied} are right by the second of two names in the first sentence")
    print(f"  {first} name the very quantity, not its equation alone, first; {two} in the first two sentences")


def best_single(outcomes):
    """How many a perfect guesser gets right with one name for each set of mutants of equal gradients, in percent."""
    groups = defaultdict(list)
    for outcome in outcomes:
        groups[outcome.group].append(outcome.mutant)
    reached = 0
    for mutants in groups.values():
        lines = {line for m in mutants for line in product(m.quantities, m.equations or ("",))}
        names = [Finding("", quantity, equation) for quantity, equation in lines]
        reached += max(Counter(f for f in names for m in mutants if is_right(f, m)).values(), default=0)
    return f"{100 * reached / len(outcomes):.0f} %" if outcomes else "-"


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
