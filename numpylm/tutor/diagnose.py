"""What is likely wrong with a backward pass, in the equations' words.

    for sentence in diagnose("lstm_step_backward", {"dh_t": …, "dc_next": …, "step": …, "W_h": …}, claimed):
        print(sentence)

The truth is our own backward on the same inputs. The evidence is taken in this order:

    the library    the claim equals, to rounding, what a known mistake returns (mistakes_library.py)
    intermediates  where they are claimed too: the first wrong one in backward order, and what is right before it
    suspects       from the final gradients alone: the lines each of which, if only it is wrong, explains the claim
                   (suspects.py), and what was likely written there (formulas.py)
    the algebra    a sign, a factor, a transpose, a shift in time (evidence.py)
"""

from typing import NamedTuple

import numpy as np

from numpylm import activations, require
from numpylm.proof.evidence import named_sizes, relations
from numpylm.proof.nested import arrays_of
from numpylm.tutor.mistakes import MODULES, named_gradients
from numpylm.tutor.sentences import (
    Finding,
    about,
    alternative,
    at,
    known,
    not_finite,
    suspicion,
    tie,
    wrong_after,
    wrong_shape,
)
from numpylm.tutor.suspects import LARGEST, all_suspects, flat, reaches
from numpylm.tutor.wiretap import Wiretap

FINAL = {"dh_t", "da_t", "dhW_t", "dh_prev", "dc_prev"}  # what a step's caller goes on with


def diagnose(function, inputs, claimed):
    """Sentences on what is likely wrong with claimed gradients, the most telling first; none where they are right.

    function  the name of one of our backward functions, such as "lstm_step_backward" or "gru_backward"
    inputs    its keyword arguments; small ones, T N H up to about 600, let single lines be told apart
    claimed   our record, or name -> array for any part of what can be claimed: for a step the record's fields and da_i,
              da_f, …; for a sequence dW_x … db, dx, dh_0, dc_0, and each field of its steps as one array (T, N, ·);
              otherwise the fields, or dE, dlogits or da where the function returns one array
    Raises ValueError for an unknown function or an unknown name among the claims.
    """
    return [finding.sentence for finding in findings(function, inputs, claimed)]


def findings(function, inputs, claimed, run=None):
    """The same as diagnose, as Findings. run is Wiretap(function, inputs), for many claims on the same inputs."""
    require.one_of("function", function, MODULES)
    run = Wiretap(function, inputs) if run is None else run
    claims = checked_claims(claimed, run)
    spoilt = [wrong_shape(run, name, claims.pop(name)) for name in list(claims) if not has_shape(claims, run, name)]
    unusable = [name for name in claims if not np.isfinite(claims[name]).all()]
    spoilt += [not_finite(run, name, claims.pop(name)) for name in unusable]
    return spoilt + explanations(run, claims) + algebra(run, claims, wrong_names(run, claims), inputs)


def wrong_names(run, claims):
    """The names of the claims that are not right."""
    return [name for name in claims if not agree(claims[name], run.truth[name], run.scale(name))]


def explanations(run, claims):
    """Findings on which line is wrong, from claims of the right shapes; none where all are right."""
    wrong = wrong_names(run, claims)
    if not wrong:
        return []
    found = [known(mistake, run.function) for mistake in known_mistakes(run, claims)[:2]]
    found = found or least_suspicion(run, claims)
    first = first_wrong(run, claims)
    if first and first.leads:
        same = first.finding.quantity
        found = [first.finding, *[other for other in found if other.is_known or other.quantity != same]]
    elif first:
        found = [*found, first.finding]
    return found or [last_common(run, claims, wrong)]


def checked_claims(claimed, run):
    """Name -> claimed array; ValueError for names that the function has nothing of."""
    claims = {name: np.asarray(array) for name, array in named_gradients(claimed, run.function).items()}
    unknown = [name for name in claims if name not in run.truth]
    if unknown or not claims:
        raise ValueError(f"claimed holds {unknown or 'nothing'}; what can be claimed is {', '.join(run.truth)}")
    return claims


def has_shape(claims, run, name):
    """Whether a claim has its quantity's shape."""
    return claims[name].shape == run.truth[name].shape


def agree(q, p, scale):
    """Whether two arrays agree to rounding, which for a float32 claim is coarse."""
    return bool((np.abs(q - p) <= (1e-4 if q.dtype == np.float32 else 1e-9) * scale).all())


def known_mistakes(run, claims):
    """The library's entries, in the function itself and its step, that return just what is claimed."""
    return [mistake for mistake in matching(run, claims) if not spreads(run, mistake)]


def widespread_mistakes(run, claims):
    """Findings for a mistake in an activation's derivative, which spoils every line of a cell that calls it."""
    return [known(mistake, run.function) for mistake in matching(run, claims) if spreads(run, mistake)][:1]


def least_suspicion(run, claims):
    """One wrong line, if one explains the claim; a wrong derivative that several lines call, if that does."""
    suspected, widespread = suspicions(run, claims), widespread_mistakes(run, claims)
    return widespread if widespread and (not suspected or is_packed(suspected[0].quantity)) else suspected


def spreads(run, mistake):
    """Whether a mistake is in an activation's derivative that the function calls."""
    return MODULES[mistake.function] is activations and mistake.function != run.function


def matching(run, claims):
    """The library's entries that return just what is claimed."""
    return [
        mistake
        for mistake, returned in run.faulty().items()
        if mistake.function not in run.trusted
        and claims.keys() <= returned.keys()
        and all(has_shape(returned, run, name) for name in claims)
        and all(agree(claims[name], returned[name], run.scale(name)) for name in claims)
    ]


class FirstWrong(NamedTuple):
    """The finding on the first wrong intermediate, and whether it is a line of the step that can be blamed itself."""

    finding: Finding
    leads: bool


def first_wrong(run, claims):
    """The FirstWrong of the claimed intermediates, in the order of the backward pass; None where none is claimed."""
    is_sequence = run.is_sequence
    more = run.beyond(run.outputs).keys() if run.beyond else set()
    if len(run.truth) == 1 or not claims.keys() - more - (run.outputs.keys() if is_sequence else FINAL):
        return None
    order = [name for name in run.truth if name in claims and not (is_sequence and name in run.outputs)]
    order = [name for name in order if name not in more]
    right = None
    for t in reversed(range(len(run.truth[order[0]]))) if is_sequence else [...]:
        for name in order:
            if not agree(claims[name][t], run.truth[name][t], run.scale(name)):
                assigned = any(line.quantity == name and "step" in line.function for line in run.lines)
                return FirstWrong(wrong_after(run, name, right, t), assigned and not is_packed(name))
            right = name
    return None


def is_packed(name):
    """Whether a quantity holds several gates side by side."""
    return name in ("da_t", "dhW_t")


def suspicions(run, claims):
    """Findings on the line that most likely is the only wrong one, and on the one that could be instead.

    Where two lines explain the claim by equally small mistakes, no gradient can tell which it is, and one sentence
    names both.
    """
    suspects = sorted(all_suspects(run, claims), key=likelihood)
    others = [other for other in suspects[1:] if other.line.quantity != suspects[0].line.quantity]
    if suspects and not is_packed(suspects[0].line.quantity):  # all gates together explain what one of them does
        others = [other for other in others if not is_packed(other.line.quantity)]
    if not others:
        return [suspicion(best) for best in suspects[:1]]
    if is_tie(suspects[0], others[0]):
        return [tie(suspects[0], others[0]), *[alternative(other) for other in others[1:2]]]
    return [suspicion(suspects[0]), alternative(others[0])]


def likelihood(suspect):
    """What suspects are sorted by: readable, near the right formula, of few entries, short, late in the source."""
    return not suspect.formula, suspect.changes, suspect.num_entries, suspect.complexity, -suspect.line.order


def is_tie(one, other):
    """Whether nothing tells which of two lines is wrong: equally many changes, of equally many entries."""
    return likelihood(one)[:3] == likelihood(other)[:3]


def last_common(run, claims, wrong):
    """The finding where no single quantity explains the claim: the last one that reaches all that is wrong."""
    for line in [line for line in run.lines if line.function not in run.trusted]:
        together = [other.quantity for other in run.lines if other.source == line.source]
        if set(wrong) <= set(together):
            words = f"{' and '.join(wrong)} come{'s' * (len(wrong) == 1)} from one line{at(line)}."
            return about(line, words, is_explained=False)
    difference = flat({name: claims[name] - run.truth[name] for name in claims}, claims, run)
    lines = [line for line in run.suspected if reaches(run, line, claims, difference)]
    if not lines:
        line = run.line_of(wrong[0])
        begin = f"more than one line is wrong; begin with {line.quantity}{at(line)}."
        return about(line, begin, is_explained=False)
    line = min(reversed(lines), key=lambda line: np.count_nonzero(flat(run.reach(line), claims, run)))
    large = any(sum(value.size for value in run.values[other]) > LARGEST for other in lines)
    hint = f" Sizes with T N H up to {LARGEST} tell single lines apart." if large else ""
    comes = f"all that is wrong comes from {line.quantity}{at(line)}, from one before it, or from several.{hint}"
    return about(line, comes, is_explained=False)


def algebra(run, claims, wrong, inputs):
    """Findings of evidence.py on each wrong gradient."""
    sizes = named_sizes(arrays_of({name: value for name, value in inputs.items() if name != "trace"}))
    return [
        Finding(name, run.line_of(name).equation, f"{name}: {sentence}.")
        for name in wrong
        for sentence in relations(claims[name], run.truth[name], sizes)
    ]
