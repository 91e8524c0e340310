"""numpylm doctor: what does the mathematics here, how fast each OpenBLAS kernel is, and how to choose the fastest.

A kernel is a set of matrix products for one family of processors. OpenBLAS picks one when it is loaded, or takes the
one that OPENBLAS_CORETYPE names. Each kernel is measured in processes of its own, in turns, and the best round counts,
because other work on the machine can only make a kernel slower. Nothing is changed.
"""

import os

from numpylm.bench import report
from numpylm.bench.clock import is_tie
from numpylm.bench.processes import answers, probe
from numpylm.bench.system import about, cpuinfo
from numpylm.commands.console import print_table

DESCRIPTION = (
    "Versions, processor and BLAS; how fast each OpenBLAS kernel is that this processor\n"
    "can run; and the line to set for the fastest. Nothing is changed."
)
ROUNDS = 3
KERNELS = {  # OpenBLAS's kernels, and an instruction that each needs, as Linux names it
    "Nehalem": "sse4_2", "Sandybridge": "avx", "Haswell": "avx2", "Zen": "avx2", "SkylakeX": "avx512vl",
    "Cooperlake": "avx512_bf16", "SapphireRapids": "amx_bf16",
    "ARMV8": "asimd", "NEOVERSEN1": "asimddp", "NEOVERSEV1": "sve", "NEOVERSEN2": "sve2",
}  # fmt: skip


def add_options(parser):
    """None."""


def run(options):
    facts = about()
    print(report.about_text(facts, options.threads), end="\n\n", flush=True)
    found = measure(kernels_to_try(facts["blas"]), options.threads)
    rows = {}
    for kernel, best in found.items():
        speeds = report.number(best["gflops"]), f"{report.number(1e3 * best['step'])} ms"
        rows[kernel or "unknown"] = [*speeds, "<- in use" * (kernel == facts["blas"]["kernel"])]
    print_table("How fast each kernel is", ("GFLOP/s", "training step", ""), rows)
    print("GFLOP/s: a float32 product of two 1024 x 1024 matrices. Training step: an LSTM")
    print("at shape A of numpylm bench. More facts: python -m threadpoolctl -i numpy\n")
    print(advice(found, facts["blas"]))


def kernels_to_try(blas):
    """None (the kernel in use), and the names of the others that this processor can run, if BLAS is an OpenBLAS.

    A kernel that the processor cannot run would crash its process. Where there is no /proc/cpuinfo, all are tried.
    """
    if blas["name"] != "openblas" or blas["kernel"] is None:
        return [None]
    instructions = cpuinfo("flags") or cpuinfo("Features")
    names = [name for name, needed in KERNELS.items() if instructions is None or needed in instructions.split()]
    return [None, *[name for name in names if name.lower() != blas["kernel"].lower()]]


def measure(kernels, threads):
    """Kernel -> {"gflops", "step"}, the best of several rounds, the fastest step first.

    OpenBLAS replaces a kernel that it does not have: what counts is the name that it tells. A kernel whose process
    crashes is left out.
    """
    found, crashed = {}, set()
    for kernel in kernels * ROUNDS:
        if kernel in crashed:
            continue
        try:
            facts, answer = answers([about, probe], threads, kernel)
        except ChildProcessError:
            crashed.add(kernel)
            continue
        best = found.setdefault(facts["blas"]["kernel"], answer)
        best["gflops"], best["step"] = max(best["gflops"], answer["gflops"]), min(best["step"], answer["step"])
    return dict(sorted(found.items(), key=lambda item: item[1]["step"]))


def advice(found, blas):
    """The line to set, or why there is none."""
    if blas["name"] != "openblas" or blas["kernel"] not in found:
        return f"Only OpenBLAS lets you choose its kernel; this BLAS is {blas['name']}: nothing to set."
    fastest = next(iter(found))
    gain = found[blas["kernel"]]["step"] / found[fastest]["step"]
    if is_tie(gain):
        return f"There is nothing to set: no kernel is faster than {blas['kernel']} by 15 % or more."
    line = f"set OPENBLAS_CORETYPE={fastest}" if os.name == "nt" else f"export OPENBLAS_CORETYPE={fastest}"
    powershell = f'\n\nor, in PowerShell,\n\n    $env:OPENBLAS_CORETYPE = "{fastest}"' if os.name == "nt" else ""
    return (
        f"{fastest} is {gain:.1f} times as fast as {blas['kernel']}, which is in use.\n"
        f"To use it, type this before you start Python:\n\n    {line}{powershell}"
    )
