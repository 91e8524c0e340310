"""What is likely wrong with a student's function: the diagnosis (diagnose.py), asked in an assignment's terms."""

from numpylm.tutor.diagnose import diagnose as findings
from numpylm.tutor.results import is_rounding


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
    return findings(assignment.name, problem.symbols, returned, problem.answers, names, problem.sizes._asdict())
