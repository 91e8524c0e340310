"""What numpylm doctor prints."""

import os

from numpylm.bench.clock import is_tie
from numpylm.bench.kernels import setting_line
from numpylm.bench.report import TITLES, number

SETTINGS = ("OPENBLAS_CORETYPE", "OPENBLAS_NUM_THREADS", "OMP_NUM_THREADS", "MKL_NUM_THREADS")
WHY_NOT = {
    "accelerate": "NumPy uses Apple's Accelerate here, which picks its own kernel: nothing to set.",
    "mkl": "NumPy uses Intel's MKL here, which picks its own kernel: nothing to set.",
}


def facts_table(facts, threads, environment=os.environ):
    """Versions, system and BLAS, a line each."""
    blas = facts["blas"]
    lines = {name: facts[name.lower()] for name in ("Python", "NumPy", "numpylm")}
    lines |= {TITLES.get(name, name): version for name, version in facts["others"].items()}
    lines |= {
        "system": facts["system"],
        "processor": f"{facts['processor'] or 'unknown'}, {facts['cores']} cores",
        "BLAS": " ".join(filter(None, (blas["name"], blas["version"]))),
        "kernel": blas["kernel"] or "not known (is threadpoolctl installed?)",
        "threads": f"{threads}, set by every command of numpylm (--threads K)",
    }
    lines |= {name: f"{environment[name]} (set)" for name in SETTINGS if environment.get(name)}
    width = 2 + max(map(len, lines))
    return "\n".join(f"{name:<{width}}{value}" for name, value in lines.items())


def kernels_table(measured, present):
    """Each kernel's GFLOP/s and milliseconds of a training step, the fastest first; present is the one in use."""
    lines = ["", f"{'kernel':<18}{'GFLOP/s':>10}{'training step':>20}", ""]
    for one in measured:
        mark = "   <- in use" if one.kernel == present else ""
        lines.append(f"{one.kernel or 'unknown':<18}{number(one.gflops):>10}{number(1e3 * one.step):>17} ms{mark}")
    lines += [
        "",
        "GFLOP/s: of a float32 product of 1024 x 1024 matrices. Training step: an LSTM at",
        "shape A of numpylm bench. The best of several rounds.",
        "",
    ]
    return "\n".join(lines)


def advice(measured, facts):
    """The one line to set, or why there is none."""
    present = facts["blas"]["kernel"]
    if facts["blas"]["name"] != "openblas" or present is None:
        return WHY_NOT.get(facts["blas"]["name"], "Only the kernel in use can be measured: none can be compared.")
    fastest = measured[0]
    in_use = next(one for one in measured if one.kernel == present)
    gain = in_use.step / fastest.step
    if is_tie(gain):
        return f"There is nothing to set: no kernel is faster than {present} by 15 % or more."
    return (
        f"{fastest.kernel} is {gain:.1f} times as fast as {present}, now in use.\n"
        f"To use it, type this before Python is started:\n\n    {setting_line(fastest.kernel)}"
    )
