"""OpenBLAS's kernels: which of them this processor can run, and the line that chooses one.

A kernel is a set of matrix products written for one family of processors. OpenBLAS picks one when it is loaded, by what
it knows of the processor, or takes the one that OPENBLAS_CORETYPE names. A kernel whose instructions the processor does
not have would end the process; where its instructions are not known, all are tried, each in a process of its own.
"""

import os
from pathlib import PurePath

import numpy as np

from numpylm.bench.system import cpuinfo

VARIABLE = "OPENBLAS_CORETYPE"
AVX512 = {"avx512f", "avx512bw", "avx512dq", "avx512vl", "avx512cd"}
X86 = {  # kernel -> the instructions it needs, as Linux calls them
    "Nehalem": {"sse4_2"},
    "Sandybridge": {"avx"},
    "Haswell": {"avx2", "fma"},
    "Zen": {"avx2", "fma"},
    "SkylakeX": AVX512,
    "Cooperlake": AVX512 | {"avx512_bf16"},
    "SapphireRapids": AVX512 | {"avx512_bf16", "amx_bf16"},
}
ARM = {"ARMV8": set(), "NEOVERSEN1": {"asimddp"}, "NEOVERSEV1": {"sve"}, "NEOVERSEN2": {"sve2"}, "VORTEX": set()}
NUMPYS_NAMES = {  # what NumPy calls instructions, where there is no /proc/cpuinfo
    "SSE42": {"sse4_2"},
    "AVX": {"avx"},
    "AVX2": {"avx2"},
    "FMA3": {"fma"},
    "AVX512_SKX": AVX512,
    "AVX512_SPR": {"avx512_bf16"},
    "X86_V2": {"sse4_2"},
    "X86_V3": {"avx", "avx2", "fma"},
    "X86_V4": AVX512,
    "ASIMDDP": {"asimddp"},
    "SVE": {"sve"},
}


def candidates(machine, instructions):
    """The kernels to try on a machine, as platform.machine() names it; instructions None: they are not known."""
    kernels = {"x86_64": X86, "amd64": X86, "arm64": ARM, "aarch64": ARM}.get(machine.lower(), {})
    return [name for name, needed in kernels.items() if instructions is None or needed <= instructions]


def processor_instructions():
    """What the processor can do, in Linux's words, or None where neither Linux nor NumPy says."""
    listed = cpuinfo("flags") or cpuinfo("Features")
    if listed is not None:
        return set(listed.split())
    extensions = np.show_config(mode="dicts").get("SIMD Extensions", {})
    names = [*extensions.get("baseline", []), *extensions.get("found", [])]
    known = set().union(*[NUMPYS_NAMES.get(name, set()) for name in names])
    return known or None


def setting_line(kernel, environment=os.environ, windows=os.name == "nt"):
    """The line that a shell needs for Python to be started with a kernel, as the user's own shell wants it."""
    if windows:
        in_powershell = len(environment.get("PSModulePath", "").split(";")) > 2  # it adds the user's own folder
        return f'$env:{VARIABLE} = "{kernel}"' if in_powershell else f"set {VARIABLE}={kernel}"
    shell = PurePath(environment.get("SHELL", "sh")).name
    lines = {"fish": f"set -gx {VARIABLE} {kernel}", "csh": f"setenv {VARIABLE} {kernel}"}
    return lines.get(shell.removeprefix("t"), f"export {VARIABLE}={kernel}")
