"""What is likely wrong with a student's function: the diagnosis (diagnose.py), asked in an assignment's terms."""

import re

from numpylm.tutor.diagnose import diagnose as findings
from numpylm.tutor.results import is_rounding
from numpylm.tutor.sentences import Finding, numbered


def said_alone(values, answers, sizes):
    """Findings on wrong gradients of code whose lines we do not know: what each has in common with the right one."""
    return findings("", {}, values, answers, (), sizes._asdict())


def diagnose(assignment, problem, values, rows, trusted=()):
    """Findings on what is likely wrong, the most telling first.

    trusted names functions that it calls and that are right.
    """
    if is_rounding(rows, assignment.rtol):
        return []
    names = [name.replace("rnn_relu", "rnn") for name in trusted]
    returned = {name: q for name, q in values.items() if name in problem.answers}
    found = findings(assignment.name, problem.symbols, returned, problem.answers, names, problem.sizes._asdict())
    gates = beside(found, values, [row.name for row in rows])
    return found + gates + (unsaid(found, values, rows, problem) if not gates else [])


def beside(found, values, wrong):
    """Findings on gates whose own gradient is right and whose pre-activation's is wrong, if no finding names them."""
    equations = {
        "da_i": "(3)",
        "da_f": "(4)",
        "da_o": "(5)",
        "da_c": "(6)",
        "da_r": "(10)",
        "da_z": "(11)",
        "da_n": "(12)",
    }
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
