"""A run's numbers as text, in 80 columns."""

from numpylm.bench.clock import TIE, is_tie
from numpylm.bench.results import (
    disagreements,
    goals,
    mean_over_nine,
    rows_with_agreement,
    times_of,
    typical,
    uncertainty,
)

TITLES = {"floor": "floor", "numpylm": "numpylm", "torch": "torch", "jax": "JAX"}
NOTHING = "–"
TOO_MANY_CORES = 1.3  # used by a run on one thread


def heading(about, threads):
    """The lines above the tables: versions, BLAS and processor."""
    blas, others = about["blas"], about["others"]
    rivals = ", ".join(f"{TITLES[name]} {version}" for name, version in others.items()) or "no PyTorch, no JAX"
    kernel = "" if blas["kernel"] is None else f", kernel {blas['kernel']}"
    chosen = "" if about["coretype"] is None else " (set)"
    return "\n".join(
        [
            f"numpylm {about['numpylm']}, NumPy {about['numpy']}, Python {about['python']}; {rivals}",
            f"{blas['name']} {blas['version'] or ''}{kernel}{chosen}, {threads} thread{'s' if threads > 1 else ''}",
            f"{about['processor']}, {about['cores']} cores, {about['system']}",
        ]
    )


def training_heading(names):
    """The training table's title and header; names are those of the implementations."""
    columns = "".join(f"{TITLES[name]:>10}" for name in ("floor", *names))
    quotients = "".join(f"{'× ' + TITLES[name]:>10}" for name in rivals_of(names))
    return f"One training step: milliseconds, and numpylm's time ÷ another's\n\n{'':8}{columns}{quotients}{'spread':>9}"


def training_line(row, names):
    """One cell and shape."""
    columns = "".join(f"{number(typical(row, name), 1e3):>10}" for name in ("floor", *names))
    quotients = "".join(f"{quotient_text(times_of(row, name), name):>10}" for name in rivals_of(names))
    doubt = uncertainty(row)
    doubt = NOTHING if doubt is None or doubt != doubt else f"{100 * doubt:.0f} %"
    return f"{label(row):<8}{columns}{quotients}{doubt:>9}"


def rivals_of(names):
    """Whom numpylm is compared with: the floor, and the others that are installed."""
    return ["floor", *[name for name in names if name != "numpylm"]]


def label(row):
    """LSTM A; the cell alone above sizes that have no name."""
    return f"{row['cell'].upper():<5}{row['shape'][0] if len(row['shape'][0]) == 1 else ''}"


def quotient_text(quotient, name):
    """Two decimals, and ≈ where it is a tie (with the floor there is none)."""
    if quotient is None:
        return NOTHING + "  "
    return f"{quotient:.2f}" + (" ≈" if name != "floor" and is_tie(quotient) else "  ")


def number(value, scale=1.0):
    """Three digits, or all before the point; a dash for None."""
    if value is None:
        return NOTHING
    value *= scale
    decimals = 0 if value >= 100 else 1 if value >= 10 else 2 if value >= 1 else 3
    return f"{value:,.{decimals}f}"


def training_footer(rows, names):
    """The geometric means, and what the signs mean."""
    lines = []
    means = {name: mean_over_nine(rows, name) for name in rivals_of(names)}
    if any(mean is not None for mean in means.values()):
        indent = f"{'geometric mean of LSTM A B C E and RNN A B C D E':<{8 + 10 * (len(names) + 1)}}"
        lines.append(indent + "".join(f"{quotient_text(mean, name):>10}" for name, mean in means.items()))
    rounds = [len(row["seconds"]["floor"]) for row in rows]
    lines += [
        "",
        f"Medians of {min(rounds)} to {max(rounds)} rounds, in each of which all had their turn. ≈ is a tie: less than",
        f"{100 * (TIE - 1):.0f} % apart. spread: half the distance of the quartiles of × floor, over the rounds.",
    ]
    return "\n".join(lines)


def per_token_table(title, rows, names, scale):
    """Sampling or evaluation: a line for each cell; scale makes microseconds or tokens per second of the median."""
    lines = [title, "", f"{'':8}{'':10}" + "".join(f"{TITLES[name]:>10}" for name in names)]
    lines[-1] += "".join(f"{'× ' + TITLES[name]:>10}" for name in rivals_of(names)[1:])
    for row in rows:
        seconds = [typical(row, name) for name in names]
        columns = "".join(f"{NOTHING if one is None else number(scale(one)):>10}" for one in seconds)
        quotients = "".join(f"{quotient_text(times_of(row, name), name):>10}" for name in rivals_of(names)[1:])
        lines.append(f"{label(row):<8}{'':10}{columns}{quotients}")
    return "\n".join(lines)


def memory_table(rows):
    """The peak memory of each implementation's own process."""
    lines = ["Peak memory of a process that trains, MiB", ""]
    for row in rows:
        lines.append(f"{label(row):<8}{TITLES[row['name']]:<10}{number(row['mib']):>10}")
    return "\n".join(lines)


def goals_table(found):
    """The goals that this run can judge, what was measured, and whether they are met."""
    judged = [goal for goal in goals(found) if goal.met is not None]
    lines = ["Goals", ""] if judged else []
    for goal in judged:
        verdict = "met" if goal.met else "missed"
        lines.append(f"{goal.what:<52}{number(goal.value):>8} ≤ {goal.limit:<6g}{verdict}")
    return "\n".join(lines)


def complaints(found):
    """What makes a run's numbers doubtful, a line each: results that differ, and more cores than threads."""
    lines = [f"{label(row).strip()}: {TITLES[name]} is left out: {what}" for row, name, what in disagreements(found)]
    for row in rows_with_agreement(found):
        for name, cores in row["cores"].items():
            if cores > TOO_MANY_CORES * found["threads"]:
                lines.append(f"{label(row).strip()}: {TITLES[name]} used {cores:.1f} cores, not {found['threads']}")
    return lines
