"""What is likely wrong with a student's function: the diagnosis (diagnose.py), asked in an assignment's terms."""

import re

from numpylm.tutor.assignments import FIRST_EQUATION
from numpylm.tutor.diagnose import diagnose as findings
from numpylm.tutor.own_forward import fit_sentence
from numpylm.tutor.results import is_rounding
from numpylm.tutor.sentences import Finding, numbered


def said_alone(values, answers, sizes):
    """Findings on wrong gradients of code whose lines we do not know: what each has in common with the right one."""
    return findings("", {}, values, answers, (), sizes._asdict())


def diagnose(assignment, problem, values, rows, trusted=(), own_forward=None):
    """Findings on what is likely wrong, the most telling first.

    trusted names functions that it calls and that are right; own_forward is the student's forward, an OwnForward, if
    that is wrong, and the cache came from it. A diagnosis is a help: if it fails, the table of wrong entries stands.
    """
    if is_rounding(rows, assignment.rtol):
        return []
    if own_forward:
        fit = fit_sentence(own_forward, values)
        return [Finding(fit)] if fit else []
    names = [name.replace("rnn_relu", "rnn") for name in trusted]
    returned = {name: q for name, q in values.items() if name in problem.answers}
    found = findings(assignment.name, problem.symbols, returned, problem.answers, names, problem.sizes._asdict())
    gates = beside(found, values, [row.name for row in rows], assignment)
    return found + gates + (unsaid(found, values, rows, problem) if not gates else [])


def beside(found, values, wrong, assignment):
    """Findings on gates whose own gradient is right and whose pre-activation's is wrong, if no finding names them."""
    equations = FIRST_EQUATION.get(assignment.name.partition("_")[0], {})
    after = zip("ifocrzn", ("i", "f", "o", "c_tilde", "r", "z", "n"), strict=True)
    pairs = {f"da_{gate}": f"d{q}_t" for gate, q in after}
    said = " ".join(finding.words for finding in found)
    return [Finding(f"{before} is right, {name} is wrong: look at {numbered(equations[name])}", name)
            for name, before in pairs.items() if name in wrong and before in values and before not in wrong
            and name not in said and found and not found[0].explains]  # fmt: skip


def unsaid(found, values, rows, problem):
    """Findings on wrong gradients of weights, bias and input that no finding names, where others of these are right."""
    leaves = [name for name in values if re.match(r"d(x|W_|b)", name)]
    wrong = [row.name for row in rows if row.name in leaves]
    rest = [name for name in wrong if not any(re.search(rf"\b{name}\b", finding.words) for finding in found)]
    if len(wrong) == len(leaves) or any(finding.explains and len(wrong) > 1 for finding in found):
        return []
    alone = {name: values[name] for name in rest}
    return said_alone(alone, {name: problem.answers[name] for name in rest}, problem.sizes) if rest else []
