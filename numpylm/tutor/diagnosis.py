"""What is likely wrong with a student's function: the diagnosis (diagnose.py), asked in an assignment's terms."""

from numpylm.tutor.diagnose import diagnose as findings
from numpylm.tutor.own_forward import fit_sentence
from numpylm.tutor.results import is_rounding
from numpylm.tutor.sentences import Finding


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
    sizes = problem.sizes._asdict()
    try:
        return findings(assignment.name, problem.symbols, values, problem.answers, names, sizes)
    except Exception:
        return []
