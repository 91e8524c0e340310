"""A run's numbers as text, in 80 columns."""

import math
from statistics import median

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
TOO_MANY_CORES = 1.3  # used for each thread
BUSY = 0.9  # cores used by a single thread, where a machine is not left alone


def heading(about, threads):
    """The lines above the tables: versions, BLAS and processor."""
    blas, others = about["blas"], about["others"]
    rivals = ", ".join(f"{TITLES[name]} {version}" for name, version in others.items()) or "no PyTorch, no JAX"
    library = " ".join(filter(None, (blas["name"], blas["version"])))
    chosen = "" if about["coretype"] is None else " (set)"
    kernel = "" if blas["kernel"] is None else f", kernel {blas['kernel']}{chosen}"
    return "\n".join(
        [
            f"numpylm {about['numpylm']}, NumPy {about['numpy']}, Python {about['python']}; {rivals}",
            f"{library}{kernel}, {threads} thread{'s' if threads > 1 else ''}",
            f"{about['processor']}, {about['cores']} cores, {about['system']}",
        ]
    )


def training_heading(names, clock):
    """The training table's title and header; names are those of the implementations."""
    columns = "".join(f"{TITLES[name]:>9}" for name in ("floor", *names))
    quotients = "".join(f"{'× ' + TITLES[name]:>9}" for name in rivals_of(names))
    by_clock = " by the processor's clock" if clock == "processor" else ""
    title = f"Training step: milliseconds{by_clock}, and numpylm's ÷ another's"
    return f"{title}\n\n{'':8}{columns}{quotients}{'spread':>8}"


def training_line(row, names):
    """One cell and shape."""
    columns = "".join(f"{number(typical(row, name), 1e3):>9}" for name in ("floor", *names))
    quotients = "".join(f"{quotient_text(times_of(row, name), name):>9}" for name in rivals_of(names))
    doubt = uncertainty(row)
    doubt = NOTHING if doubt is None or math.isnan(doubt) else f"{100 * doubt:.0f} %"
    return f"{left_column(row)}{columns}{quotients}{doubt:>8}"


def rivals_of(names):
    """Whom numpylm is compared with: the floor, and the others that are installed."""
    return ["floor", *[name for name in names if name != "numpylm"]]


def label(row):
    """LSTM A, or the cell and its sizes T,N,D,H,V."""
    return f"{row['cell'].upper():<5}{row['shape'][0]}"


def left_column(row):
    """The label in eight columns; a longer one has a line of its own."""
    return f"{label(row):<8}" if len(label(row)) < 8 else f"{label(row)}\n{'':8}"


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


def training_footer(rows, names, clock):
    """The geometric means, what the signs mean, and a word on a busy machine."""
    rounds = [len(row["seconds"]["floor"]) for row in rows]
    lines = [
        "",
        f"Medians over {min(rounds)} to {max(rounds)} rounds, in each of which all had their turn.",
        f"≈ is a tie, less than {100 * (TIE - 1):.0f} % apart; spread, how far off × floor's quartiles are.",
    ]
    means = [mean_over_nine(rows, name) for name in rivals_of(names)]
    if any(means):
        columns = "".join(f"{quotient_text(mean, name):>9}" for mean, name in zip(means, rivals_of(names), strict=True))
        lines.insert(0, f"{'geometric mean of nine':<{8 + 9 * (len(names) + 1)}}{columns}".rstrip())
        lines.append("The nine are LSTM A B C E and RNN A B C D E.")
    share = median(cores for row in rows for cores in row["cores"].values())
    if clock == "wall" and share < BUSY:
        lines.append(f"A busy machine: it gave {100 * share:.0f} % of a processor's time. Try --clock processor.")
    return "\n".join(lines)


def per_token_table(title, rows, names, scale):
    """Sampling or evaluation: a line for each cell; scale makes what is shown of the median seconds per token."""
    rivals = rivals_of(names)[1:]
    header = [TITLES[name] for name in names] + [f"× {TITLES[name]}" for name in rivals]
    lines = [title, "", f"{'':17}" + "".join(f"{one:>9}" for one in header)]
    for row in rows:
        seconds = [typical(row, name) for name in names]
        columns = [NOTHING if one is None else number(scale(one)) for one in seconds]
        columns += [quotient_text(times_of(row, name), name) for name in rivals]
        lines.append((f"{left_column(row)}{'':9}" + "".join(f"{one:>9}" for one in columns)).rstrip())
    return "\n".join(lines)


def memory_table(rows):
    """The peak memory of each implementation's own process."""
    lines = ["Peak memory of a process that trains, MiB", ""]
    for row in rows:
        lines.append(f"{left_column(row)}{TITLES[row['name']]:<9}{number(row['mib']):>9}")
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
    lines = [f"{label(row)}: {TITLES[name]} is left out: {what}" for row, name, what in disagreements(found)]
    for row in rows_with_agreement(found):
        for name, cores in row["cores"].items():
            if cores > TOO_MANY_CORES * found["threads"]:
                lines.append(f"{label(row)}: {TITLES[name]} used {cores:.1f} cores, not {found['threads']}")
    return lines
